#include <algorithm>

#include "fixtune/gemm/float_product.h"
#include "fixtune/linear/linear.h"
#include "linear/output_gradient.h"
#include "linear/plane_product.h"

namespace fixtune {
namespace {

void check_shapes(ConstMatrixMap dy, const QuantizedWeight& weight, std::string_view name) {
  if (dy.cols() != weight.out_features())
    fail("{}: output gradient [{}, {}] does not fit weight [{}, {}]", name, dy.rows(), dy.cols(),
         weight.out_features(), weight.in_features());
}

/// `dX[m,k] = sA[m] sum_n A8[m,n] W8[n,k]`; the steps of W are folded into A8, or one, or one per input feature.
void input_gradient(const OutputGradient& codes, const QuantizedWeight& weight, const GradientTarget& dx) {
  const FixedPointTensor& dy = codes.by_token;
  ProductOutput output{.y = dx.data, .stride = dx.stride, .add = dx.add};
  if (dy.format.block == Block::Row)
    output.row_steps = dy.steps.data();
  else
    output.row_step = dy.steps[0];
  const bool own_codes = weight.codes_by_input.rows > 0;
  if (own_codes)
    output.column_steps = weight.codes_by_input.steps.data();
  else if (weight.codes.format.block == Block::Tensor)
    output.column_step = weight.codes.steps[0];
  PackedRows high;
  if (!codes.by_token_high.empty())
    high = PackedRows::view({codes.by_token_high.codes.data(), dy.rows, dy.cols, dy.cols});
  plane_product({PackedRows::view({dy.codes8.data(), dy.rows, dy.cols, dy.cols}), {}, &high, codes.by_token_high.unit},
                {weight.backward, weight.backward_high,
                 own_codes ? weight.codes_by_input_high.unit : weight.codes_high.unit},
                output);
}

/// `dW[n,k] = sB[n] sum_m B8[m,n] (X8 + u k')[m,k]`, computed as dW^T = X^T dY: the sparse digits lie in the rows.
void weight_gradient(const GradientColumns& dy, const InputRows& x_rows, const LinearInput& saved,
                     const GradientTarget& dw) {
  const QuantizedActivation& x = *saved.backward;
  ProductOutput output{.y = dw.data, .stride = dw.stride, .transposed = true, .add = dw.add};
  if (dy.steps.size() > 1)
    output.column_steps = dy.steps.data();
  else
    output.column_step = dy.steps[0];
  if (saved.backward_by_column)
    output.row_steps = x.inliers.steps.data();
  else if (x.inliers.format.block == Block::Tensor)
    output.row_step = x.inliers.steps[0];
  plane_product({x_rows.codes, x_rows.digits, &x_rows.high, x_rows.high_unit}, {dy.codes, dy.high, dy.high_unit}, output);
  if (x_rows.float_digits.empty()) return;
  output.row_steps = nullptr;
  output.row_step = x.digit_step;
  output.add = true;
  plane_product({PackedRows::zeros(x_rows.codes.rows(), x_rows.codes.contraction()), x_rows.float_digits},
                {dy.codes, dy.high, dy.high_unit}, output);
}

/// Tokens past what int32 sums hold: slices of them, each with its own codes of dY, add up in FP32.
void weight_gradient_by_slices(ConstMatrixMap dy, const QuantizedWeight& weight, const LinearInput& saved,
                               GradientTarget dw, const LinearContext& context) {
  for (Index first = 0; first < dy.rows(); first += max_contraction_8x8) {
    const Index count = std::min(max_contraction_8x8, dy.rows() - first);
    OutputGradientRequest request = backward_request(weight, saved);
    request.by_feature = true;
    if (request.row_scale != nullptr) request.row_scale += first;
    const ConstMatrixMap slice(dy.data() + first * dy.outerStride(), count, dy.cols(),
                               Eigen::OuterStride<>(dy.outerStride()));
    const OutputGradient codes = quantize_output_gradient(slice, request, weight.recipe, context);
    weight_gradient(codes.by_feature, transposed_input(saved, first, count), saved, dw);
    dw.add = true;
  }
}

WantedGradients wanted_of(const GradientTargets& to) {
  return {.dx = to.dx.data != nullptr, .dw = to.dw.data != nullptr, .db = to.db != nullptr};
}

void check_possible(const WantedGradients& wanted, const QuantizedWeight& weight, const LinearInput& saved,
                    const LinearContext& context) {
  if (wanted.dw && !saved.backward)
    fail("{}: the forward ran without saving, so dW cannot be computed", context.name);
  if (wanted.dx && weight.backward.empty())
    fail("{}: the weight was prepared for inference, so dX cannot be computed", context.name);
}

/// Gradients in new tensors, and where they lie.
LinearGradients allocated(const WantedGradients& wanted, Index tokens, const QuantizedWeight& weight,
                          GradientTargets& to) {
  LinearGradients g;
  if (wanted.dx) g.dx = Tensor(tokens, weight.in_features());
  if (wanted.dw) g.dw = Tensor(weight.out_features(), weight.in_features());
  if (wanted.db) g.db = Tensor(1, weight.out_features());
  to.dx = {g.dx.data(), weight.in_features(), false};
  to.dw = {g.dw.data(), weight.in_features(), false};
  to.db = g.db.data();
  return g;
}

}  // namespace

void linear_backward(ConstMatrixMap dy, const QuantizedWeight& weight, const LinearInput& saved,
                     const InputRows* transposed_x, const GradientTargets& to, const LinearContext& context) {
  check_shapes(dy, weight, context.name);
  const WantedGradients wanted = wanted_of(to);
  check_possible(wanted, weight, saved, context);
  const bool sliced = dy.rows() > max_contraction_8x8;
  OutputGradientRequest request = backward_request(weight, saved);
  request.by_token = wanted.dx;
  request.by_feature = wanted.dw && !sliced;
  request.bias_gradient = wanted.db && !weight.recipe.integer_bias_gradient ? to.db : nullptr;
  const OutputGradient codes = quantize_output_gradient(dy, request, weight.recipe, context);
  if (wanted.dx) input_gradient(codes, weight, to.dx);
  if (wanted.dw && sliced)
    weight_gradient_by_slices(dy, weight, saved, to.dw, context);
  else if (wanted.dw)
    weight_gradient(codes.by_feature,
                    transposed_x != nullptr ? *transposed_x : transposed_input(saved, 0, dy.rows()), saved, to.dw);
  if (wanted.db && weight.recipe.integer_bias_gradient) integer_bias_gradient(dy, weight.recipe, context, to.db);
}

LinearGradients linear_backward(ConstMatrixMap dy, const QuantizedWeight& weight, const LinearInput& saved,
                                const WantedGradients& wanted, const LinearContext& context) {
  check_shapes(dy, weight, context.name);
  GradientTargets to;
  LinearGradients gradients = allocated(wanted, dy.rows(), weight, to);
  linear_backward(dy, weight, saved, nullptr, to, context);
  return gradients;
}

void float_linear_backward(ConstMatrixMap dy, const QuantizedWeight& weight, ConstMatrixMap x,
                           const GradientTargets& to) {
  const FloatKind kind = weight.recipe.arithmetic == Arithmetic::BF16 ? FloatKind::BF16 : FloatKind::FP32;
  if (to.dx.data != nullptr) {
    const MatrixMap dx(to.dx.data, dy.rows(), weight.in_features(), Eigen::OuterStride<>(to.dx.stride));
    float_product(kind, dy, Transpose::No, weight.source, Transpose::No, dx, to.dx.add);
  }
  if (to.dw.data != nullptr) {
    const MatrixMap dw(to.dw.data, weight.out_features(), weight.in_features(), Eigen::OuterStride<>(to.dw.stride));
    float_product(kind, dy, Transpose::Yes, x, Transpose::No, dw, to.dw.add);
  }
  if (to.db != nullptr) float_bias_gradient(dy, to.db);
}

LinearGradients float_linear_backward(ConstMatrixMap dy, const QuantizedWeight& weight, ConstMatrixMap x,
                                      const WantedGradients& wanted) {
  GradientTargets to;
  LinearGradients gradients = allocated(wanted, dy.rows(), weight, to);
  float_linear_backward(dy, weight, x, to);
  return gradients;
}

}  // namespace fixtune
