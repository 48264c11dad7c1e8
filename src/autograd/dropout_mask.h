#pragma once

#include <cmath>

#include "elementwise_kernels.h"
#include "fixtune/core/error.h"
#include "fixtune/core/random.h"

namespace fixtune::detail {

/// The mask that keeps element i where `random.uniform(i) >= probability`. Throws Error, naming `where`, if the
/// probability is outside [0, 1).
inline DropoutMask dropout_mask(const RandomStream& random, float probability, const char* where) {
  if (!(probability >= 0.0F && probability < 1.0F))
    fail("{}: dropout probability {} is outside [0, 1)", where, probability);
  // uniform is (bits >> 8) / 2^24.
  const auto threshold = static_cast<std::uint32_t>(std::ceil(static_cast<double>(probability) * 0x1p24)) << 8U;
  return {random.low(), random.high(), threshold, 1.0F / (1.0F - probability)};
}

}  // namespace fixtune::detail
