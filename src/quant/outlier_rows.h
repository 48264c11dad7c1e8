#pragma once

#include <span>
#include <vector>

#include "fixtune/quant/outlier_split.h"
#include "quant/row_kernels.h"

/// Finding the outliers of a few rows, and the rows that are left without them.
namespace fixtune {

/// A stretch of rows with what the treatment takes out of them, in (row, column) order.
///
/// Stretches are the same whatever the number of threads, so joining their lists gives one sorted list.
struct OutlierRows {
  static constexpr Index rows_per_stretch = 16;

  Index begin = 0;
  Index end = 0;
  std::vector<SparseDigit> outliers;
};

/// The stretches that cover so many rows, with no outliers yet.
std::vector<OutlierRows> stretches_of(Index rows);

/// Eq. 3: `x = remainder + 2 gamma digit`, the remainder in [-gamma, gamma).
struct SplitValue {
  std::int32_t digit = 0;
  float remainder = 0.0F;
};

/// Splits one outlier; exact up to one rounding of the remainder while |digit| < 2^27.
SplitValue split_value(float x, float gamma);

/// Fills `rows.outliers` with the elements above gamma, their digits 0, and of each row its largest magnitude and the
/// largest of its inliers.
void find_outliers(ConstMatrixMap x, float gamma, OutlierRows& rows, row_kernels::MagnitudeBits* largest,
                   row_kernels::MagnitudeBits* inliers);

/// The outliers of row `r`; `from` is where the search starts, moved past them.
std::span<SparseDigit> outliers_of_row(OutlierRows& rows, Index r, std::size_t& from);

/// A copy of the row, 0 where its outliers were.
const float* row_without(std::span<const SparseDigit> outliers, const float* row, Index cols, float* scratch);

}  // namespace fixtune
