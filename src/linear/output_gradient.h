#pragma once

#include "fixtune/linear/linear.h"

namespace fixtune {

/// Codes of dY for dX: A8 `[tokens, out]`, with sw[n] folded in where W's forward codes have row steps.
FixedPointTensor quantize_for_input_gradient(ConstMatrixMap dy, const QuantizedWeight& weight,
                                             const LinearContext& context);

/// Codes of dY for dW: B8^T `[out, tokens]`, with sx[m] folded in where X's codes have a step per token.
FixedPointTensor quantize_for_weight_gradient(ConstMatrixMap dy, const LinearInput& saved, const Recipe& recipe,
                                              const LinearContext& context);

/// db as an FP32 sum of dY in row order, or, where the recipe says so, an exact integer sum of codes of dY.
Tensor bias_gradient(ConstMatrixMap dy, const Recipe& recipe, const LinearContext& context);

}  // namespace fixtune
