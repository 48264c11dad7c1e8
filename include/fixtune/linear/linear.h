#pragma once

#include "fixtune/linear/input.h"
#include "fixtune/linear/weight.h"

namespace fixtune {

/// `Y[tokens, out] = X W^T + b` from integer codes.
///
/// Row steps: `Y[m,n] = (sx[m]*acc[m,n])*sw[n] + b[n]`, acc exact (with TiledSplit and a digit unit u:
/// `acc = sum_k (X8 + u k')[m,k] W8[n,k]`). UnifiedScale adds `s_o s_w12 sum X12 W12` (the paper, Eq. 1).
/// `bias` has `out` values, or is null. Throws Error when shapes disagree.
Tensor linear_forward(const LinearInput& input, const QuantizedWeight& weight, const float* bias,
                      const LinearContext& context = {});

/// The FP32 or BF16 product `Y = X W^T + b`, for float recipes.
Tensor float_linear_forward(ConstMatrixMap x, const QuantizedWeight& weight, const float* bias);

/// What linear_forward gave, and what linear_backward needs of it.
struct LinearResult {
  Tensor y;
  LinearInput saved;  ///< empty for float recipes, whose backward reads X itself
};

/// Quantises X and multiplies, in one call, by any recipe.
LinearResult linear_forward(ConstMatrixMap x, const QuantizedWeight& weight, const float* bias,
                            const LinearContext& context = {});

/// Which gradients are wanted; what is not wanted is not computed.
struct WantedGradients {
  bool dx = true;
  bool dw = true;
  bool db = true;
};

struct LinearGradients {
  Tensor dx;  ///< `[tokens, in]`
  Tensor dw;  ///< `[out, in]`
  Tensor db;  ///< `[1, out]`
};

/// `dX = dY W`, `dW = dY^T X`, `db = sum_m dY[m,:]`, the products on INT8 codes.
///
/// Folded row steps: `dX[m,k] = sA[m] sum_n A8[m,n] W8[n,k]` with A8 the codes of `dY[m,n]*sw[n]`, and
/// `dW[n,k] = sB[n] sum_m B8[m,n] (X8 + u k')[m,k]` with B8 the codes of `dY[m,n]*sx[m]`, a step per n.
/// `db` is an FP32 sum in row order, or exact from codes where the recipe says so. The sums are exact integers;
/// tokens past the int32 limit are split. Throws Error naming the layer where dY holds NaN or infinity.
LinearGradients linear_backward(ConstMatrixMap dy, const QuantizedWeight& weight, const LinearInput& saved,
                                const WantedGradients& wanted = {}, const LinearContext& context = {});

/// The same for float recipes; `x` is the forward's input.
LinearGradients float_linear_backward(ConstMatrixMap dy, const QuantizedWeight& weight, ConstMatrixMap x,
                                      const WantedGradients& wanted = {});

}  // namespace fixtune
