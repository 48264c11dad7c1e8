#pragma once

#include <span>

#include "fixtune/linear/input.h"
#include "fixtune/linear/weight.h"

namespace fixtune {

/// `Y[tokens, out] = X W^T + b` from integer codes.
///
/// Row steps: \f[ Y_{mn} = \bigl(s^x_m\, a_{mn}\bigr)\, s^w_n + b_n, \qquad
/// a_{mn} = \sum_k \bigl(X_8 + u K'\bigr)_{mk} W_{8,nk} \f]
/// the sums exact; u K' where TiledSplit has digits. UnifiedScale adds \f$ s_o s_{w12} \sum_k X_{12,mk} W_{12,nk} \f$
/// (the paper, Eq. 1).
/// `bias` has `out` values, or is null. Throws Error when shapes disagree.
Tensor linear_forward(const LinearInput& input, const QuantizedWeight& weight, const float* bias,
                      const LinearContext& context = {});

/// The same into memory the caller owns; `y` may have a row stride.
void linear_forward(const LinearInput& input, const QuantizedWeight& weight, const float* bias, MatrixMap y,
                    const LinearContext& context = {});

/// One of several layers that read the same input, and where its output goes.
struct LinearForward {
  const QuantizedWeight* weight = nullptr;  ///< prepared; must outlive the call
  const float* bias = nullptr;  ///< `out` values, or null
  MatrixMap y{nullptr, 0, 0, Eigen::OuterStride<>(0)};  ///< `[tokens, out]`
};

/// `Y_i = X W_i^T + b_i` as one product over the columns of all W_i (Q, K and V); each keeps its steps, and the bits it
/// has alone.
void linear_forward(const LinearInput& input, std::span<const LinearForward> layers, const LinearContext& context = {});

/// Quantises X `[tokens, in]` and multiplies it by all W_i: the bits of quantize_input and linear_forward one after the
/// other, in less time where each row is quantised alone, as rows are then quantised while those before them multiply.
/// Returns what linear_backward needs (`context.save`). Throws Error as those do, Y then holding anything, and where the
/// recipes are float or do not give X the same codes.
LinearInput linear_forward(ConstMatrixMap x, std::span<const LinearForward> layers, const LinearContext& context = {});

/// The FP32 or BF16 product `Y = X W^T + b`, for float recipes.
Tensor float_linear_forward(ConstMatrixMap x, const QuantizedWeight& weight, const float* bias);

/// What linear_forward gave, and what linear_backward needs of it.
struct LinearResult {
  Tensor y;  ///< `[tokens, out]`
  LinearInput saved;  ///< empty for float recipes, whose backward reads X itself
};

/// Quantises X and multiplies, in one call, by any recipe.
LinearResult linear_forward(ConstMatrixMap x, const QuantizedWeight& weight, const float* bias,
                            const LinearContext& context = {});

/// Which gradients are wanted; what is not wanted is not computed.
struct WantedGradients {
  bool dx = true;  ///< that of the input
  bool dw = true;  ///< that of the weight
  bool db = true;  ///< that of the bias
};

/// Gradients in tensors of their own; what was not wanted is empty.
struct LinearGradients {
  Tensor dx;  ///< `[tokens, in]`
  Tensor dw;  ///< `[out, in]`
  Tensor db;  ///< `[1, out]`
};

/// \f$ \mathrm{d}X = \mathrm{d}Y\, W \f$, \f$ \mathrm{d}W = \mathrm{d}Y^T X \f$ and
/// \f$ \mathrm{d}b_n = \sum_m \mathrm{d}Y_{mn} \f$, the products on INT8 codes.
///
/// Folded row steps: \f[ \mathrm{d}X_{mk} = s^A_m \sum_n A_{8,mn} W_{8,nk}, \qquad
/// \mathrm{d}W_{nk} = s^B_n \sum_m B_{8,mn} \bigl(X_8 + u K'\bigr)_{mk} \f]
/// with A8 the codes of `dY[m,n]*sw[n]`, a step per m, and B8 those of `dY[m,n]*sx[m]`, a step per n.
/// `db` is an FP32 sum in row order, or exact from codes where the recipe says so. The sums are exact integers;
/// tokens past the int32 limit are split. Throws Error naming the layer where dY holds NaN or infinity.
LinearGradients linear_backward(ConstMatrixMap dy, const QuantizedWeight& weight, const LinearInput& saved,
                                const WantedGradients& wanted = {}, const LinearContext& context = {});

/// Where a gradient goes; null data: not wanted.
struct GradientTarget {
  float* data = nullptr;  ///< the first element
  Index stride = 0;  ///< floats from row to row
  bool add = false;  ///< to what is there (gradient accumulation, or several layers on one input)
};
/// Where the gradients of one layer go.
struct GradientTargets {
  GradientTarget dx{};  ///< `[tokens, in]`
  GradientTarget dw{};  ///< `[out, in]`
  float* db = nullptr;  ///< `[out]`, overwritten
};

/// One of several layers that read the same input, and where its gradients go.
struct LinearBackward {
  ConstMatrixMap dy{nullptr, 0, 0, Eigen::OuterStride<>(0)};  ///< `[tokens, out]`
  const QuantizedWeight* weight = nullptr;  ///< that of the forward; must outlive the call
  GradientTargets to;  ///< which gradients, and where to
  std::string_view name;  ///< of the layer: for errors, and for its own random streams
};

/// The gradients of layers on one input into memory the caller owns: the weight gradients as one product, which reads
/// X^T once; the layers' dX may add into one. Each has the bits it has alone.
void linear_backward(std::span<const LinearBackward> layers, const LinearInput& saved,
                     const LinearContext& context = {});

/// The gradients of one layer into memory the caller owns.
void linear_backward_into(const GradientTargets& to, ConstMatrixMap dy, const QuantizedWeight& weight,
                          const LinearInput& saved, const LinearContext& context = {});

/// The same for float recipes; `x` is the forward's input.
LinearGradients float_linear_backward(ConstMatrixMap dy, const QuantizedWeight& weight, ConstMatrixMap x,
                                      const WantedGradients& wanted = {});
/// The gradients of a float layer into memory the caller owns.
void float_linear_backward(ConstMatrixMap dy, const QuantizedWeight& weight, ConstMatrixMap x,
                           const GradientTargets& to);

}  // namespace fixtune
