#pragma once

#include "fixtune/core/random.h"
#include "fixtune/gemm/packed_product.h"
#include "fixtune/quant/format.h"
#include "gemm/product_companion.h"

namespace fixtune {

/// Codes of dY for dW: B8 `[tokens, out]`, packed, with one step or one per output feature.
struct GradientColumns {
  PackedColumns codes;
  WorkspaceVector<float> steps;
  PackedColumns high;      ///< a second plane, each code worth `high_unit`; else empty
  float high_unit = 0.0F;
};

/// Encodes B8 once its steps are known: at once, or in pieces beside a product, as it waits for memory most of the time.
class GradientColumnEncoder final : public detail::ProductCompanion {
 public:
  /// What is encoded, and how; the pointers must outlive the encoder.
  struct Source {
    const float* dy = nullptr;  ///< `[rows, cols]`
    Index stride = 0, rows = 0, cols = 0;
    const float* row_scale = nullptr;  ///< sx, folded in; null: none
    Format format;
    RandomStream random;
  };

  GradientColumnEncoder(const Source& source, WorkspaceVector<float> steps);

  Index pieces() const override;
  std::span<const std::byte> memory(Index first, Index last) const override;
  void run(Index first, Index last) override;
  void run_all() override;

  /// The codes, once all pieces are done.
  GradientColumns take() { return std::move(columns_); }

 private:
  struct Rows {
    Index begin = 0, end = 0;
  };

  bool is_streamed() const;
  const float* row(Index m) const { return source_.dy + m * source_.stride; }
  Rows rows_of(Index first, Index last) const;
  void fetch_rows(Rows rows, Index part, Index parts) const;
  void encode_group(Index panel, Index group);

  Source source_;
  GradientColumns columns_;
  AlignedBuffer<float> inverse_;  ///< of the steps, by column
};

}  // namespace fixtune
