
#include "fixtune/core/parallel.h"
#include "fixtune/gemm/float_product.h"
#include "fixtune/linear/linear.h"
#include "linear/forward_parts.h"
#include "linear/input_slabs.h"
#include "linear/plane_product.h"
#include "linear/saved_input.h"
#include "linear/unified_scale.h"

namespace fixtune {
void check_shapes(Index rows, Index cols, const QuantizedWeight& weight, const MatrixMap& y, std::string_view name) {
  if (cols != weight.in_features())
    fail("{}: input [{}, {}] does not fit weight [{}, {}]", name, rows, cols, weight.out_features(), weight.in_features());
  if (y.rows() != rows || y.cols() != weight.out_features())
    fail("{}: output [{}, {}] is not [{}, {}]", name, y.rows(), y.cols(), rows, weight.out_features());
}

ProductOutput output_of(const FixedPointTensor& x, const FixedPointTensor& w, MatrixMap y) {
  ProductOutput output;
  output.y = y.data();
  output.stride = y.outerStride();
  if (x.format.block == Block::Row)
    output.row_steps = x.steps.data();
  else
    output.row_step = x.steps[0];
  if (w.format.block == Block::Row)
    output.column_steps = w.steps.data();
  else
    output.column_step = w.steps[0];
  return output;
}

namespace {

/// Digits whose worth is no integer of the codes' steps: y[m,n] += (digit_step * sum_k k[m,k] W8[n,k]) * sw.
void add_float_digits(const QuantizedActivation& x, const DigitRows& digits, const QuantizedWeight& weight,
                      ProductOutput output) {
  output.row_steps = nullptr;
  output.row_step = x.digit_step;
  output.bias = nullptr;
  output.add = true;
  const PackedRows zeros = PackedRows::zeros(x.inliers.rows, x.inliers.cols);
  packed_product(zeros, digits, weight.forward, output);
  add_second_planes({zeros, digits}, {weight.forward, weight.forward_high, weight.codes_high.unit}, output);
}

FloatKind float_kind(const Recipe& recipe) {
  return recipe.arithmetic == Arithmetic::BF16 ? FloatKind::BF16 : FloatKind::FP32;
}

}  // namespace

void linear_forward(const LinearInput& input, std::span<const LinearForward> layers, const LinearContext& context) {
  const UseWorkspace use(context.workspace);
  const QuantizedActivation& x = *input.forward;
  const InputRows& rows = *input.rows;
  const bool tile = fill_a_tile(rows.sparse);
  WorkspaceVector<SparseColumns> outlier_weights(layers.size());
  WorkspaceVector<ProductPart> parts;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const QuantizedWeight& weight = *layers[i].weight;
    check_shapes(x.inliers.rows, x.inliers.cols, weight, layers[i].y, context.name);
    parts.push_back({&weight.forward, output_of(x.inliers, weight.codes, layers[i].y)});
    parts.back().output.bias = layers[i].bias;
    if (rows.sparse.empty() || tile) continue;
    outlier_weights[i] = SparseColumns(weight.outlier_codes, rows.sparse);
    parts.back().sparse = &outlier_weights[i];
  }
  packed_product(rows.codes, rows.digits, parts, rows.sparse);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const QuantizedWeight& weight = *layers[i].weight;
    add_second_planes({rows.codes, rows.digits, &rows.high, rows.high_unit},
                      {weight.forward, weight.forward_high, weight.codes_high.unit}, parts[i].output);
    if (tile) add_outlier_tile(rows.sparse, weight.outlier_codes, layers[i].y);
    if (!rows.float_digits.empty()) add_float_digits(x, rows.float_digits, weight, parts[i].output);
  }
}

void linear_forward(const LinearInput& input, const QuantizedWeight& weight, const float* bias, MatrixMap y,
                    const LinearContext& context) {
  const LinearForward layer{&weight, bias, y};
  linear_forward(input, std::span(&layer, 1), context);
}

Tensor linear_forward(const LinearInput& input, const QuantizedWeight& weight, const float* bias,
                      const LinearContext& context) {
  const UseWorkspace use(context.workspace);
  Tensor y(input.forward->inliers.rows, weight.out_features());
  linear_forward(input, weight, bias, y.map(), context);
  return y;
}

Tensor float_linear_forward(ConstMatrixMap x, const QuantizedWeight& weight, const float* bias) {
  Tensor y(x.rows(), weight.out_features());
  float_product(float_kind(weight.recipe), x, Transpose::No, weight.source, Transpose::Yes, y.map());
  if (bias != nullptr)
    parallel_for(y.rows(), 64, [&](Index begin, Index end) {
      const Eigen::Map<const Eigen::RowVectorXf> b(bias, y.cols());
      y.map().middleRows(begin, end - begin).rowwise() += b;
    });
  return y;
}

LinearInput linear_forward(ConstMatrixMap x, std::span<const LinearForward> layers, const LinearContext& context) {
  const UseWorkspace use(context.workspace);
  if (layers.empty()) fail("{}: no layers to multiply the input by", context.name);
  const Recipe& recipe = layers.front().weight->recipe;
  if (recipe.arithmetic != Arithmetic::Integer)
    fail("{}: recipe {} has no integer codes; use float_linear_forward", context.name, recipe.name);
  for (const LinearForward& layer : layers) {
    check_shapes(x.rows(), x.cols(), *layer.weight, layer.y, context.name);
    if (!same_input_codes(recipe, layer.weight->recipe))
      fail("{}: recipes {} and {} do not give the input the same codes", context.name, recipe.name,
           layer.weight->recipe.name);
  }
  if (runs_in_slabs(x, layers)) {
    const WorkspaceString name = context.name_of("input");
    return saved_input(forward_in_slabs(x, layers, context, name), recipe, context);
  }
  LinearInput input = quantize_input(x, recipe, context);
  linear_forward(input, layers, context);
  input.forward_is_done();
  return input;
}

LinearResult linear_forward(ConstMatrixMap x, const QuantizedWeight& weight, const float* bias,
                            const LinearContext& context) {
  const UseWorkspace use(context.workspace);
  if (weight.recipe.arithmetic != Arithmetic::Integer) return {float_linear_forward(x, weight, bias), {}};
  Tensor y(x.rows(), weight.out_features());
  const LinearForward layer{&weight, bias, y.map()};
  LinearInput saved = linear_forward(x, std::span(&layer, 1), context);
  return {std::move(y), std::move(saved)};
}

}  // namespace fixtune
