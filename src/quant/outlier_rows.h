#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "fixtune/quant/outlier_split.h"
#include "quant/row_kernels.h"

/// Finding the outliers of a few rows, and the rows that are left without them.
namespace fixtune {

/// A few rows of X where they are read from.
struct RowsInMemory {
  const float* data = nullptr;  ///< of row `first`
  Index stride = 0;
  Index first = 0;

  const float* row(Index r) const { return data + (r - first) * stride; }
};

/// A stretch of rows with what the treatment takes out of them, in (row, column) order.
///
/// Stretches are the same whatever the number of threads, so joining their lists gives one sorted list.
class OutlierRows {
 public:
  static constexpr Index rows_per_stretch = 16;

  Index begin = 0;
  Index end = 0;
  std::vector<std::int32_t> columns;
  std::vector<float> values;      ///< as they are in X
  std::vector<std::int32_t> digits;  ///< TiledSplit: k, later k'; else 0
  std::vector<float> remainders;  ///< TiledSplit: what of the value stays INT8; else empty

  std::size_t size() const { return columns.size(); }
  std::size_t first_of(Index r) const { return starts_[static_cast<std::size_t>(r - begin)]; }
  std::size_t count_of(Index r) const { return first_of(r + 1) - first_of(r); }
  std::span<std::int32_t> digits_of(Index r) { return {digits.data() + first_of(r), count_of(r)}; }

  void clear();
  /// Appends outliers of row `r`; rows come in order.
  void append(Index r, const std::int32_t* row_columns, std::int32_t count, const float* row);
  /// To be called when row `r` has all of its outliers.
  void end_row(Index r) { starts_[static_cast<std::size_t>(r - begin) + 1] = columns.size(); }
  /// Eq. 3 for all of them: fills digits and remainders.
  void split(float gamma);

 private:
  std::array<std::size_t, rows_per_stretch + 1> starts_{};
};

/// The stretches that cover so many rows, with no outliers yet.
std::vector<OutlierRows> stretches_of(Index rows);

/// Fills `rows` with the elements above gamma, and of each row its largest magnitude and the largest of its inliers.
/// `positions` has room for a row.
void find_outliers(const RowsInMemory& x, Index cols, float gamma, OutlierRows& rows, std::int32_t* positions,
                   row_kernels::MagnitudeBits* largest, row_kernels::MagnitudeBits* inliers);

/// A copy of the row, 0 where its outliers were.
const float* row_without(std::span<const std::int32_t> outlier_columns, const float* row, Index cols, float* scratch);

}  // namespace fixtune
