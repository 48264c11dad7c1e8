#include <algorithm>
#include <utility>

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
/// B8, where it was left for later, is encoded meanwhile.
void input_gradient(OutputGradient& codes, const QuantizedWeight& weight, const GradientTarget& dx) {
  const FixedPointTensor& dy = codes.by_token;
  ProductOutput output{.y = dx.data, .stride = dx.stride, .add = dx.add};
  if (dy.format.block == Block::Row)
    output.row_steps = dy.steps.data();
  else
    output.row_step = dy.steps[0];
  if (!weight.backward_steps.empty())
    output.column_steps = weight.backward_steps.data();
  else if (weight.codes.format.block == Block::Tensor)
    output.column_step = weight.codes.steps[0];
  const PackedRows rows = PackedRows::view({dy.codes8.data(), dy.rows, dy.cols, dy.cols}, dy.row_sums);
  if (codes.columns_left) {
    packed_product(rows, weight.backward, output, *codes.columns_left);
    codes.by_feature = codes.columns_left->take();
  } else {
    packed_product(rows, weight.backward, output);
  }
  PackedRows high;
  if (!codes.by_token_high.empty())
    high = PackedRows::view({codes.by_token_high.codes.data(), dy.rows, dy.cols, dy.cols});
  add_second_planes({rows, {}, &high, codes.by_token_high.unit},
                    {weight.backward, weight.backward_high, weight.backward_high_unit}, output);
}

/// A weight gradient that waits for the others on its input.
struct PendingWeightGradient {
  ColumnCodes dy;
  GradientTarget to;
};

ProductOutput output_of(const PendingWeightGradient& pending, const LinearInput& saved) {
  const QuantizedActivation& x = *saved.backward;
  ProductOutput output{.y = pending.to.data, .stride = pending.to.stride, .transposed = true, .add = pending.to.add};
  if (pending.dy.steps.size() > 1)
    output.column_steps = pending.dy.steps.data();
  else
    output.column_step = pending.dy.steps[0];
  if (saved.backward_by_column)
    output.row_steps = x.inliers.steps.data();
  else if (x.inliers.format.block == Block::Tensor)
    output.row_step = x.inliers.steps[0];
  return output;
}

/// The product of the parts' first planes, then what their second planes add.
void products(const LeftPlanes& x, std::span<const PendingWeightGradient> pending, std::span<const ProductPart> parts) {
  packed_product(x.codes, x.digits, parts);
  for (std::size_t i = 0; i < parts.size(); ++i)
    add_second_planes(x, {pending[i].dy.codes, pending[i].dy.high, pending[i].dy.high_unit}, parts[i].output);
}

/// `dW[n,k] = sB[n] sum_m B8[m,n] (X8 + u k')[m,k]`, computed as dW^T = X^T dY: the sparse digits lie in the rows.
void weight_gradients(std::span<const PendingWeightGradient> pending, const InputRows& x_rows,
                      const LinearInput& saved) {
  WorkspaceVector<ProductPart> parts;
  for (const PendingWeightGradient& p : pending) parts.push_back({&p.dy.codes, output_of(p, saved)});
  products({x_rows.codes, x_rows.digits, &x_rows.high, x_rows.high_unit}, pending, parts);
  if (x_rows.float_digits.empty()) return;
  for (ProductPart& part : parts) {
    part.output.row_steps = nullptr;
    part.output.row_step = saved.backward->digit_step;
    part.output.add = true;
  }
  const PackedRows zeros = PackedRows::zeros(x_rows.codes.rows(), x_rows.codes.contraction());
  products({zeros, x_rows.float_digits}, pending, parts);
}

/// Tokens past what int32 sums hold: slices of them, each with its own codes of dY, add up in FP32.
void weight_gradient_by_slices(const LinearBackward& layer, const LinearInput& saved, const LinearContext& context) {
  const ConstMatrixMap& dy = layer.dy;
  PendingWeightGradient pending{{}, layer.to.dw};
  for (Index first = 0; first < dy.rows(); first += max_contraction_8x8) {
    const Index count = std::min(max_contraction_8x8, dy.rows() - first);
    OutputGradientRequest request = backward_request(*layer.weight, saved);
    request.by_feature = true;
    if (request.row_scale != nullptr) request.row_scale += first;
    const ConstMatrixMap slice(dy.data() + first * dy.outerStride(), count, dy.cols(),
                               Eigen::OuterStride<>(dy.outerStride()));
    pending.dy = quantize_output_gradient(slice, request, layer.weight->recipe, context).by_feature;
    weight_gradients(std::span(&pending, 1), transposed_input(saved, first, count), saved);
    pending.to.add = true;
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

void linear_backward(std::span<const LinearBackward> layers, const LinearInput& saved, const LinearContext& context) {
  const UseWorkspace use(context.workspace);
  WorkspaceVector<PendingWeightGradient> pending;
  for (const LinearBackward& layer : layers) {
    const LinearContext own{layer.name, context.random, context.save, {}, context.workspace};
    check_shapes(layer.dy, *layer.weight, layer.name);
    const WantedGradients wanted = wanted_of(layer.to);
    check_possible(wanted, *layer.weight, saved, own);
    const Recipe& recipe = layer.weight->recipe;
    const bool sliced = layer.dy.rows() > max_contraction_8x8;
    OutputGradientRequest request = backward_request(*layer.weight, saved);
    request.by_token = wanted.dx;
    request.by_feature = wanted.dw && !sliced;
    request.columns_later = request.by_token && request.by_feature;
    request.bias_gradient = wanted.db && !recipe.integer_bias_gradient ? layer.to.db : nullptr;
    OutputGradient codes = quantize_output_gradient(layer.dy, request, recipe, own);
    if (wanted.dx) input_gradient(codes, *layer.weight, layer.to.dx);
    if (wanted.dw && sliced)
      weight_gradient_by_slices(layer, saved, own);
    else if (wanted.dw)
      pending.push_back({std::move(codes.by_feature), layer.to.dw});
    if (wanted.db && recipe.integer_bias_gradient) integer_bias_gradient(layer.dy, recipe, own, layer.to.db);
  }
  if (!pending.empty())
    weight_gradients(pending, transposed_input(saved, 0, layers.front().dy.rows()), saved);
}

LinearGradients linear_backward(ConstMatrixMap dy, const QuantizedWeight& weight, const LinearInput& saved,
                                const WantedGradients& wanted, const LinearContext& context) {
  const UseWorkspace use(context.workspace);
  check_shapes(dy, weight, context.name);
  GradientTargets to;
  LinearGradients gradients = allocated(wanted, dy.rows(), weight, to);
  linear_backward_into(to, dy, weight, saved, context);
  return gradients;
}

void linear_backward_into(const GradientTargets& to, ConstMatrixMap dy, const QuantizedWeight& weight,
                          const LinearInput& saved, const LinearContext& context) {
  const LinearBackward layer{dy, &weight, to, context.name};
  linear_backward(std::span(&layer, 1), saved, context);
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
