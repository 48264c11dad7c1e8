#include "fixtune/linear/weight.h"

namespace fixtune {

namespace {

Int8View view(const FixedPointTensor& t) { return {t.codes8.data(), t.rows, t.cols, t.cols}; }

/// W8^T with a step per input feature, where the backward does not use the forward's codes.
CodePlanes codes_by_input(ConstMatrixMap weight, const Recipe& recipe, const LinearContext& context,
                                std::string_view name) {
  return quantize_in_planes(transposed(weight), recipe.format_w(), recipe.weight_gamma, context.stream("w.by_input"), name);
}

Int8View high_view(const HighPlane& plane, const FixedPointTensor& low) {
  return {plane.codes.data(), low.rows, low.cols, low.cols};
}

void pack_high(QuantizedWeight& prepared, bool for_backward) {
  if (!prepared.codes_high.empty())
    prepared.forward_high = PackedColumns::pack(high_view(prepared.codes_high, prepared.codes), Transpose::Yes);
  if (!for_backward) return;
  if (!prepared.codes_by_input_high.empty())
    prepared.backward_high =
        PackedColumns::pack(high_view(prepared.codes_by_input_high, prepared.codes_by_input), Transpose::Yes);
  else if (prepared.codes_by_input.rows == 0 && !prepared.codes_high.empty())
    prepared.backward_high = PackedColumns::pack(high_view(prepared.codes_high, prepared.codes), Transpose::No);
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
  if (context.save && recipe.block == Block::Row && recipe.backward == BackwardCodes::Requantised) {
    CodePlanes by_input = codes_by_input(weight, recipe, context, name);
    prepared.codes_by_input = std::move(by_input.low);
    prepared.codes_by_input_high = std::move(by_input.high);
  }
  pack(prepared, context.save);
  pack_high(prepared, context.save);
  return prepared;
}

}  // namespace fixtune
