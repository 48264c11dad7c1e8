#include "fixtune/linear/weight.h"

#include <string>

namespace fixtune {

namespace {

Int8View view(const FixedPointTensor& t) { return {t.codes8.data(), t.rows, t.cols, t.cols}; }

/// W8^T with a step per input feature, where the backward does not use the forward's codes.
FixedPointTensor codes_by_input(ConstMatrixMap weight, const Recipe& recipe, const LinearContext& context,
                                const std::string& name) {
  const Matrix transposed = weight.transpose();
  return quantize(ConstMatrixMap(transposed.data(), transposed.rows(), transposed.cols(),
                                 Eigen::OuterStride<>(transposed.cols())),
                  recipe.format(), context.stream("w.by_input"), name);
}

void pack(QuantizedWeight& prepared, bool for_backward) {
  prepared.forward = PackedColumns::pack(view(prepared.codes), Transpose::Yes);
  if (!for_backward) return;
  prepared.backward = prepared.codes_by_input.rows > 0
                          ? PackedColumns::pack(view(prepared.codes_by_input), Transpose::Yes)
                          : PackedColumns::pack(view(prepared.codes), Transpose::No);
}

}  // namespace

QuantizedWeight prepare_weight(ConstMatrixMap weight, const Recipe& recipe, const LinearContext& context) {
  QuantizedWeight prepared;
  prepared.recipe = recipe;
  // Map::operator= would copy elements; a new map of the same memory is meant.
  new (&prepared.source) ConstMatrixMap(weight.data(), weight.rows(), weight.cols(), weight.outerStride());
  if (recipe.arithmetic != Arithmetic::Integer) return prepared;

  const std::string name = std::string(context.name) + ".weight";
  prepared.codes = quantize(weight, recipe.format(), context.stream("w"), name);
  if (recipe.outliers == OutlierTreatment::UnifiedScale) {
    Format wide = recipe.format();
    wide.bits = recipe.outlier_bits;
    wide.block = Block::Tensor;
    prepared.outlier_codes = quantize(weight, wide, context.stream("w12"), name);
  }
  if (context.save && recipe.block == Block::Row && recipe.backward == BackwardCodes::Requantised)
    prepared.codes_by_input = codes_by_input(weight, recipe, context, name);
  pack(prepared, context.save);
  return prepared;
}

}  // namespace fixtune
