#pragma once

#include <span>
#include <string_view>

#include "fixtune/linear/linear.h"
#include "gemm/product_companion.h"
#include "quant/activation_split.h"

namespace fixtune {

/// A slab of an activation as the left operand of a product.
struct InputSlab {
  Index first = 0;  ///< of its rows
  PackedRows codes;
  DigitRows digits;
};

/// An activation that is quantised a slab of rows at a time, beside the product of the slab before: reading X waits for
/// memory, multiplying does not. Gives the bits of quantize_activation.
class InputSlabs final : public detail::ProductCompanion {
 public:
  /// Recipe, context and name must outlive it; slabs have about so many rows.
  InputSlabs(ConstMatrixMap x, const Recipe& recipe, const LinearContext& context, std::string_view name, Index rows);

  /// True until every slab was given.
  bool more() const { return first_ < split_.stretches(); }
  /// The slab whose pieces are done; the pieces are then those of the next one.
  InputSlab next();
  /// The whole, after the last slab.
  QuantizedActivation take() { return split_.finish(); }
  /// Codes, sums and steps, filled as the rows are quantised.
  const FixedPointTensor& codes() const { return split_.codes(); }

  Index pieces() const override { return last_ - first_; }
  std::span<const std::byte> memory(Index first, Index last) const override;
  void run(Index first, Index last) override { split_.split_stretches(first_ + first, first_ + last); }
  void run_all() override;

 private:
  void find_end();

  ConstMatrixMap x_;
  ActivationSplit split_;
  Index rows_;
  Index first_ = 0, last_ = 0;  ///< stretches of the slab that is quantised
};

/// True where X `[tokens, in]` is worth quantising by slabs for these layers, on the threads there are.
bool runs_in_slabs(ConstMatrixMap x, std::span<const LinearForward> layers);

/// Quantises X and multiplies it by the layers' weights, slab by slab.
QuantizedActivation forward_in_slabs(ConstMatrixMap x, std::span<const LinearForward> layers, const LinearContext& context,
                                     std::string_view name);

}  // namespace fixtune
