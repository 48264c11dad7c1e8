#include <algorithm>

#include "linear/output_gradient.h"

namespace fixtune {
namespace {

using Scales = Eigen::Map<const Eigen::VectorXf>;

void encode_by_token(ConstMatrixMap dy, const float* column_scale, const Recipe& recipe, const LinearContext& context,
                     OutputGradient& result) {
  Tensor scaled(dy.rows(), dy.cols());
  scaled.map() = dy;
  if (column_scale != nullptr) scaled.map().array().rowwise() *= Scales(column_scale, dy.cols()).transpose().array();
  CodePlanes planes = quantize_in_planes(scaled, recipe.format_dx(), recipe.gradient_gamma,
                                         context.stream("dy.dx"), context.name_of("output gradient"));
  result.by_token = std::move(planes.low);
  result.by_token_high = std::move(planes.high);
}

/// B8^T `[out, tokens]`, so that an output feature is a row with its own step.
void encode_by_feature(ConstMatrixMap dy, const OutputGradientRequest& request, const Recipe& recipe,
                       const LinearContext& context, ColumnCodes& result) {
  Tensor scaled = transposed(dy);
  if (request.row_scale != nullptr)
    scaled.map().array().rowwise() *= Scales(request.row_scale, dy.rows()).transpose().array();
  CodePlanes planes = quantize_in_planes(scaled, recipe.format_dw(), recipe.gradient_gamma,
                                         context.stream(request.column_stream), context.name_of("output gradient"));
  const auto packed = [&](const AlignedBuffer<std::int8_t>& codes) {
    return PackedColumns::pack({codes.data(), dy.cols(), dy.rows(), dy.rows()}, Transpose::Yes);
  };
  result.codes = packed(planes.low.codes8);
  result.steps = std::move(planes.low.steps);
  if (planes.high.empty()) return;
  result.high = packed(planes.high.codes);
  result.high_unit = planes.high.unit;
}

}  // namespace

bool takes_planes(const Recipe& recipe) {
  return recipe.gradient_gamma > 0.0F || std::max(recipe.format_dx().bits, recipe.format_dw().bits) > 8;
}

OutputGradient quantize_gradient_in_planes(ConstMatrixMap dy, const OutputGradientRequest& request,
                                           const Recipe& recipe, const LinearContext& context) {
  OutputGradient result;
  if (request.by_token) encode_by_token(dy, request.column_scale, recipe, context, result);
  if (request.by_feature) encode_by_feature(dy, request, recipe, context, result.by_feature);
  if (request.bias_gradient != nullptr) float_bias_gradient(dy, request.bias_gradient);
  return result;
}

}  // namespace fixtune
