#pragma once

#include <span>

#include "fixtune/quant/fixed_point_tensor.h"
#include "fixtune/quant/outlier_split.h"

namespace fixtune {

/// The left operand of a product's sparse part: few codes of up to 12 bits, in a unit of their own (Approach 1's X12).
///
/// Columns that hold a code are numbered in their order; a code names its column by that number, its slot.
class SparseRows {
 public:
  /// One code of a row.
  struct Code {
    std::int32_t slot;  ///< number of its column among those that hold a code
    std::int32_t code;  ///< in units of step()
  };

  SparseRows() = default;
  /// `codes` of `[rows, contraction]`, sorted by (row, column), each worth `step`.
  SparseRows(std::span<const SparseDigit> codes, Index rows, Index contraction, float step);

  bool empty() const { return codes_.empty(); }  ///< True where no row holds a code.
  /// Of the matrix; 0 where empty.
  Index rows() const { return starts_.empty() ? 0 : static_cast<Index>(starts_.size()) - 1; }
  Index contraction() const { return contraction_; }  ///< columns of the matrix
  float step() const { return step_; }  ///< what a code is worth
  std::size_t size() const { return codes_.size(); }  ///< in codes
  /// Rows that hold a code.
  Index occupied_rows() const { return occupied_rows_; }
  /// The column of each slot.
  std::span<const std::int32_t> columns() const { return columns_; }
  /// The codes of a row, by column.
  std::span<const Code> row(Index r) const {
    const auto at = static_cast<std::size_t>(r);
    return std::span(codes_).subspan(static_cast<std::size_t>(starts_[at]),
                                     static_cast<std::size_t>(starts_[at + 1] - starts_[at]));
  }

 private:
  friend class PackedProduct;
  Index contraction_ = 0;
  Index occupied_rows_ = 0;
  float step_ = 1.0F;
  WorkspaceVector<std::int32_t> starts_;
  WorkspaceVector<Code> codes_;
  WorkspaceVector<std::int32_t> columns_;
};

/// The right operand of a product's sparse part: the codes of W `[out, in]` (up to 12 bits, one step) in the columns
/// that the left operand's slots name, as the kernels read them: panels of 48 output features, `[panel][slot][48]`.
class SparseColumns {
 public:
  SparseColumns() = default;
  /// Gathers the columns; throws Error where W is of another width, or has more steps than one.
  SparseColumns(const FixedPointTensor& w, const SparseRows& rows);

  Index columns() const { return columns_; }  ///< output features
  Index slots() const { return slots_; }  ///< columns gathered
  float step() const { return step_; }  ///< what a code is worth
  const std::int16_t* panel(Index index) const;  ///< 48 output features: `[slot][48]`.

 private:
  Index columns_ = 0;
  Index slots_ = 0;
  float step_ = 1.0F;
  AlignedBuffer<std::int16_t> codes_;
};

}  // namespace fixtune
