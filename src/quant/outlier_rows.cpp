#include "quant/outlier_rows.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace fixtune {

std::vector<OutlierRows> stretches_of(Index rows) {
  std::vector<OutlierRows> stretches;
  for (Index begin = 0; begin < rows; begin += OutlierRows::rows_per_stretch)
    stretches.push_back({begin, std::min(rows, begin + OutlierRows::rows_per_stretch), {}});
  return stretches;
}

SplitValue split_value(float x, float gamma) {
  // Left for the check that names the tensor.
  if (!std::isfinite(x)) return {0, x};
  constexpr double most = 1e9;
  const double half = gamma;
  const double width = 2.0 * half;
  double k = std::clamp(std::floor((x + half) / width), -most, most);
  // The quotient is rounded, so that k may be one off beside a boundary; the remainder in double is not.
  if (x - width * k >= half)
    k += 1.0;
  else if (x - width * k < -half)
    k -= 1.0;
  return {static_cast<std::int32_t>(k), static_cast<float>(x - width * k)};
}

void find_outliers(ConstMatrixMap x, float gamma, OutlierRows& rows, row_kernels::MagnitudeBits* largest,
                   row_kernels::MagnitudeBits* inliers) {
  const auto threshold = std::bit_cast<row_kernels::MagnitudeBits>(gamma);
  std::vector<std::int32_t> columns;
  for (Index r = rows.begin; r < rows.end; ++r) {
    const float* row = x.data() + r * x.outerStride();
    const row_kernels::Magnitudes magnitudes = row_kernels::max_magnitudes(row, x.cols(), threshold);
    largest[r] = magnitudes.all;
    inliers[r] = magnitudes.inliers;
    if (largest[r] <= threshold) continue;
    columns.resize(static_cast<std::size_t>(x.cols()));
    const auto found =
        row_kernels::find_above(row, static_cast<std::int32_t>(x.cols()), threshold, columns.data());
    for (std::int32_t i = 0; i < found; ++i)
      rows.outliers.push_back({static_cast<std::int32_t>(r), columns[static_cast<std::size_t>(i)], 0});
  }
}

std::span<SparseDigit> outliers_of_row(OutlierRows& rows, Index r, std::size_t& from) {
  const std::size_t begin = from;
  while (from < rows.outliers.size() && rows.outliers[from].row == r) ++from;
  return {rows.outliers.data() + begin, from - begin};
}

const float* row_without(std::span<const SparseDigit> outliers, const float* row, Index cols, float* scratch) {
  std::copy_n(row, cols, scratch);
  for (const SparseDigit& o : outliers) scratch[o.column] = 0.0F;
  return scratch;
}

}  // namespace fixtune
