#pragma once

#include <memory>

#include "fixtune/gemm/packed_product.h"
#include "fixtune/linear/context.h"
#include "fixtune/quant/code_planes.h"
#include "fixtune/quant/recipe.h"

namespace fixtune {

/// An activation as the left operand of a product: its codes by row, and its outlier digits.
struct InputRows {
  PackedRows codes;  ///< X8, or its lower plane
  DigitRows digits;        ///< worth an integer of the codes' steps: they join inside the accumulators
  DigitRows float_digits;  ///< worth a float of their own: a product of their own
  SparseRows sparse;       ///< INT12 outliers, joined in the epilogue (UnifiedScale, forward)
  PackedRows high;         ///< the second plane of codes above 8 bits, each worth `high_unit`; else without rows
  float high_unit = 0.0F;  ///< what a code of `high` is worth in those of `codes`
  CodePlanes wide;         ///< what `codes` and `high` read in place, where codes are above 8 bits
};

/// An activation `[tokens, in]` quantised for a linear layer, or for several that read it (Q, K and V).
struct LinearInput {
  std::shared_ptr<const QuantizedActivation> forward;   ///< what `rows` was made of
  std::shared_ptr<const InputRows> rows;                ///< left operand of X W^T
  std::shared_ptr<const QuantizedActivation> backward;  ///< operand of dY^T X; may be `forward`; null: not saved
  bool backward_has_digits = true;  ///< false: dW leaves the digits out
  bool backward_by_column = false;  ///< `backward` holds X^T `[in, tokens]`, a step per input feature

  /// Bytes kept for the backward pass.
  std::size_t saved_bytes() const { return backward ? backward->bytes() : 0; }
  /// Lets go of what only the forward reads.
  void forward_is_done() {
    forward.reset();
    rows.reset();
  }
};

/// Quantises X as the recipe says: forward codes, and those the weight gradient will use if `context.save`.
/// Throws Error naming the layer where X holds NaN or infinity.
LinearInput quantize_input(ConstMatrixMap x, const Recipe& recipe, const LinearContext& context);

/// True where such an activation can be quantised a few rows at a time, as they are made.
bool quantises_by_row(const Recipe& recipe);

/// The same of an activation `[tokens, in]` that a function makes row by row; it is never in memory as a whole where
/// quantises_by_row(recipe).
LinearInput quantize_input(Index tokens, Index in, const RowProducer& producer, const Recipe& recipe,
                           const LinearContext& context);

/// X^T as the left operand of dW^T = X^T dY, for tokens [first, first + count); made once for several layers on one X.
InputRows transposed_input(const LinearInput& saved, Index first, Index count);

/// True where two recipes give X the same codes, so that one quantisation serves both.
bool same_input_codes(const Recipe& a, const Recipe& b);

}  // namespace fixtune
