#pragma once

#include "fixtune/linear/context.h"
#include "fixtune/quant/recipe.h"

namespace fixtune {

/// A weight `[out, in]` made ready for its products; valid until its owner changes the weight.
///
/// FP32 and BF16 recipes use the weight itself, which must outlive this.
struct QuantizedWeight {
  Recipe recipe;
  ConstMatrixMap source{nullptr, 0, 0, Eigen::OuterStride<>(0)};
  FixedPointTensor codes;            ///< W8, forward and (unless requantised) dX
  FixedPointTensor outlier_codes;    ///< W12 with one step over all of W (UnifiedScale)
  FixedPointTensor codes_by_input;   ///< W8^T `[in, out]`, a step per input feature (Requantised rows)

  Index out_features() const { return source.rows(); }
  Index in_features() const { return source.cols(); }
};

/// Quantises a weight once, for all three products of a step.
/// Throws Error naming the layer where the weight holds NaN or infinity.
QuantizedWeight prepare_weight(ConstMatrixMap weight, const Recipe& recipe, const LinearContext& context = {});

}  // namespace fixtune
