#pragma once

#include "fixtune/core/random.h"
#include "fixtune/gemm/packed_product.h"
#include "fixtune/quant/format.h"
#include "gemm/product_companion.h"
#include "linear/gradient_kernels.h"

namespace fixtune {

/// A right operand in codes, packed, with one step or one per column: dY for dW, or W for dX.
struct ColumnCodes {
  PackedColumns codes;
  WorkspaceVector<float> steps;
  PackedColumns high;      ///< a second plane, each code worth `high_unit`; else empty
  float high_unit = 0.0F;
};

/// Encodes a matrix by its columns once their steps are known: at once, or in pieces beside a product, as it waits for
/// memory most of the time.
class ColumnEncoder final : public detail::ProductCompanion {
 public:
  /// What is encoded, and how; the pointers must outlive the encoder.
  struct Source {
    const float* values = nullptr;  ///< `[rows, cols]`
    Index stride = 0, rows = 0, cols = 0;
    const float* row_scale = nullptr;  ///< folded in; null: none
    Format format;
    RandomStream random;
  };

  ColumnEncoder(const Source& source, WorkspaceVector<float> steps);

  Index pieces() const override;
  std::span<const std::byte> memory(Index first, Index last) const override;
  void run(Index first, Index last) override;
  void run_all() override;

  /// The codes, once all pieces are done.
  ColumnCodes take() { return std::move(columns_); }

 private:
  struct Rows {
    Index begin = 0, end = 0;
  };

  bool is_streamed() const;
  const float* row(Index m) const { return source_.values + m * source_.stride; }
  Rows rows_of(Index first, Index last) const;
  void fetch_rows(Rows rows, Index part, Index parts) const;
  void encode_group(Index panel, Index group);
  gradient_kernels::GroupNumbers numbers_of(Index group, Index column) const;

  Source source_;
  ColumnCodes columns_;
  AlignedBuffer<float> inverse_;       ///< of the steps, by column
  AlignedBuffer<std::uint32_t> start_;  ///< of each column's dither; empty where there is none
};

/// Steps of columns by the bits of their largest magnitudes in each block of rows, `[blocks, cols]`; joins them into the
/// first. Without rows a step is 1.
WorkspaceVector<float> column_steps(AlignedBuffer<std::int32_t>& largest, Index blocks, Index cols, const Format& format);

/// Codes of a finite matrix with a step per column, in two readings.
ColumnCodes quantize_by_column(ConstMatrixMap x, const Format& format, const RandomStream& random);

}  // namespace fixtune
