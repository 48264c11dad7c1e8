#include "fixtune/linear/weight.h"

#include "linear/column_codes.h"

namespace fixtune {

namespace {

Int8View view(const FixedPointTensor& t) { return {t.codes8.data(), t.rows, t.cols, t.cols}; }

/// A second plane as a right operand; empty where there is none.
PackedColumns pack(const HighPlane& plane, const FixedPointTensor& low, Transpose transpose) {
  if (plane.empty()) return {};
  return PackedColumns::pack({plane.codes.data(), low.rows, low.cols, low.cols}, transpose);
}

/// The operand of dX in the forward's codes.
void pack_backward(QuantizedWeight& prepared) {
  prepared.backward = PackedColumns::pack(view(prepared.codes), Transpose::No);
  prepared.backward_high = pack(prepared.codes_high, prepared.codes, Transpose::No);
  prepared.backward_high_unit = prepared.codes_high.unit;
}

/// The operand of dX in codes with a step per input feature.
void quantize_backward(QuantizedWeight& prepared, ConstMatrixMap weight, const RandomStream& random,
                       std::string_view name) {
  const Recipe& recipe = prepared.recipe;
  if (recipe.format_w().bits <= 8 && recipe.weight_gamma == 0.0F) {
    ColumnCodes by_input = quantize_by_column(weight, recipe.format_w(), random);
    prepared.backward = std::move(by_input.codes);
    prepared.backward_steps = std::move(by_input.steps);
    return;
  }
  CodePlanes planes = quantize_in_planes(transposed(weight), recipe.format_w(), recipe.weight_gamma, random, name);
  prepared.backward = PackedColumns::pack(view(planes.low), Transpose::Yes);
  prepared.backward_high = pack(planes.high, planes.low, Transpose::Yes);
  prepared.backward_high_unit = planes.high.unit;
  prepared.backward_steps = std::move(planes.low.steps);
}

}  // namespace

QuantizedWeight prepare_weight(ConstMatrixMap weight, const Recipe& recipe, const LinearContext& context) {
  const UseWorkspace use(context.workspace);
  QuantizedWeight prepared;
  prepared.recipe = recipe;
  // Map::operator= would copy elements; a new map of the same memory is meant.
  new (&prepared.source) ConstMatrixMap(weight.data(), weight.rows(), weight.cols(), weight.outerStride());
  if (recipe.arithmetic != Arithmetic::Integer) return prepared;

  const WorkspaceString name = context.name_of("weight");
  CodePlanes planes = quantize_in_planes(weight, recipe.format_w(), recipe.weight_gamma, context.stream("w"), name);
  prepared.codes = std::move(planes.low);
  prepared.codes_high = std::move(planes.high);
  if (recipe.outliers == OutlierTreatment::UnifiedScale) {
    Format wide = recipe.format_w();
    wide.bits = recipe.outlier_bits;
    wide.block = Block::Tensor;
    prepared.outlier_codes = quantize(weight, wide, context.stream("w12"), name);
  }
  prepared.forward = PackedColumns::pack(view(prepared.codes), Transpose::Yes);
  prepared.forward_high = pack(prepared.codes_high, prepared.codes, Transpose::Yes);
  if (!context.save) return prepared;
  if (recipe.block == Block::Row && recipe.backward != BackwardCodes::Folded)
    quantize_backward(prepared, weight, context.stream("w.by_input"), name);
  else
    pack_backward(prepared);
  return prepared;
}

}  // namespace fixtune
