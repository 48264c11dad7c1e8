#pragma once

#include <limits>

#include "fixtune/autograd/variable.h"

namespace fixtune::detail {

/// Throws Error naming the layer and the row where a row to normalise held NaN, infinity, or values whose variance is
/// past FP32: its inverse deviation is NaN or 0 then, and 0 would turn the row into beta without a trace.
inline void check_deviations(const AlignedBuffer<float>& inverse_deviation, const Variable& gamma) {
  for (Index r = 0; r < inverse_deviation.size(); ++r)
    if (!(inverse_deviation[r] > 0.0F && inverse_deviation[r] < std::numeric_limits<float>::infinity()))
      fail("the input of {} is not finite at row {}, or its variance is not",
           gamma.name().empty() ? "a layer norm" : gamma.name(), r);
}

}  // namespace fixtune::detail
