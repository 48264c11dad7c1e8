#pragma once

#include <span>
#include <vector>

#include "fixtune/core/aligned_buffer.h"
#include "fixtune/quant/outlier_split.h"

namespace fixtune {

/// The columns of W that meet outlier digits (TiledSplit), each copied contiguously, and the digits by row.
class DigitColumns {
 public:
  static DigitColumns of(const QuantizedActivation& x, const FixedPointTensor& weight);

  std::span<const SparseDigit> digits_of_row(Index row) const;
  /// W8[:, column] as `out` contiguous codes.
  const std::int8_t* codes(Index column) const {
    return codes_.data() + slot_[static_cast<std::size_t>(column)] * out_features_;
  }

 private:
  std::span<const SparseDigit> digits_;
  std::vector<Index> row_starts_;
  std::vector<Index> slot_;
  AlignedBuffer<std::int8_t> codes_;
  Index out_features_ = 0;
};

/// Approach 1's outliers as a dense INT12 tile: the rows and columns that hold one, and the weights they meet.
struct OutlierTile {
  static OutlierTile of(const QuantizedActivation& x, const FixedPointTensor& weight12);

  std::vector<Index> rows;
  std::vector<Index> columns;
  std::vector<std::int16_t> activations;  ///< `[rows, columns]`
  std::vector<std::int16_t> weights;      ///< `[out, columns]`
  Index row_count() const { return static_cast<Index>(rows.size()); }
  Index column_count() const { return static_cast<Index>(columns.size()); }
};

}  // namespace fixtune
