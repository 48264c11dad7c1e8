#include "quant/spread_rule.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "fixtune/core/parallel.h"
#include "quant/row_kernels.h"
#include "quant/row_quantizer.h"

namespace fixtune {
namespace {

float unit_of(double squares, Index count) {
  const auto rms = static_cast<float>(std::sqrt(squares / static_cast<double>(std::max<Index>(count, 1))));
  return rms > 1e-15F && rms < 1e15F ? rms : 1.0F;
}

}  // namespace

float spread_of(const float* x, Index n) { return unit_of(row_kernels::sum_of_squares(x, n), n); }

// The rows' sums are added in order, whoever made them.
float spread_of(ConstMatrixMap x) {
  WorkspaceVector<double> squares(static_cast<std::size_t>(x.rows()));
  parallel_for(x.rows(), row_grain(x.cols()), [&](Index begin, Index end) {
    for (Index r = begin; r < end; ++r)
      squares[static_cast<std::size_t>(r)] = row_kernels::sum_of_squares(x.data() + r * x.outerStride(), x.cols());
  });
  return unit_of(std::accumulate(squares.begin(), squares.end(), 0.0), x.rows() * x.cols());
}

}  // namespace fixtune
