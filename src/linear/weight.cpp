#include "fixtune/linear/weight.h"

#include <string>

namespace fixtune {

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
  if (recipe.block == Block::Row && recipe.backward == BackwardCodes::Requantised) {
    const Matrix transposed = weight.transpose();
    prepared.codes_by_input =
        quantize(ConstMatrixMap(transposed.data(), transposed.rows(), transposed.cols(),
                                Eigen::OuterStride<>(transposed.cols())),
                 recipe.format(), context.stream("w.by_input"), name);
  }
  return prepared;
}

}  // namespace fixtune
