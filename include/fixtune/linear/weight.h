#pragma once

#include "fixtune/gemm/packed_product.h"
#include "fixtune/linear/context.h"
#include "fixtune/quant/code_planes.h"
#include "fixtune/quant/recipe.h"

namespace fixtune {

/// A weight `[out, in]` made ready for its products; valid until its owner changes the weight.
///
/// FP32 and BF16 recipes use the weight itself, which must outlive this.
struct QuantizedWeight {
  Recipe recipe;  ///< by which it was made ready
  ConstMatrixMap source{nullptr, 0, 0, Eigen::OuterStride<>(0)};  ///< the weight itself, which must stay as it was
  FixedPointTensor codes;            ///< W8, forward and (where steps are folded) dX
  HighPlane codes_high;              ///< of `codes`; empty unless W has wide codes or split outliers
  FixedPointTensor outlier_codes;    ///< W12 with one step over all of W (UnifiedScale)
  PackedColumns forward;             ///< W8^T as the right operand of X W^T
  PackedColumns backward;            ///< W8 as the right operand of dY W; empty where prepared for inference
  WorkspaceVector<float> backward_steps;  ///< of `backward`, one per input feature; empty where it has those of `codes`
  PackedColumns forward_high;        ///< the second planes of the two, where there are any
  PackedColumns backward_high;  ///< of `backward`
  float backward_high_unit = 0.0F;  ///< what its codes are worth in codes of `backward`

  Index out_features() const { return source.rows(); }  ///< rows of the weight
  Index in_features() const { return source.cols(); }  ///< columns of the weight
};

/// Quantises and packs a weight once, for all three products of a step; with `context.save` false for the forward
/// alone. Throws Error naming the layer where the weight holds NaN or infinity.
QuantizedWeight prepare_weight(ConstMatrixMap weight, const Recipe& recipe, const LinearContext& context = {});

}  // namespace fixtune
