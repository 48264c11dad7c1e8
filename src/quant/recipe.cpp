#include "fixtune/quant/recipe.h"

#include "fixtune/core/error.h"
#include "quant/word_list.h"

namespace fixtune {
namespace {

Recipe float_recipe(std::string_view name, Arithmetic arithmetic) {
  Recipe recipe;
  recipe.name = name;
  recipe.arithmetic = arithmetic;
  recipe.outliers = OutlierTreatment::Untreated;
  return recipe;
}

/// The paper's number format: one power-of-two step per tensor, unbiased rounding (section 4.1).
Recipe paper_recipe(std::string_view name, OutlierTreatment outliers) {
  Recipe recipe;
  recipe.name = name;
  recipe.outliers = outliers;
  recipe.block = Block::Tensor;
  recipe.step = StepKind::PowerOfTwo;
  recipe.rounding = Rounding::Stochastic;
  recipe.backward_x = BackwardX::Plain;
  return recipe;
}

void check_bits(int bits, int most, std::string_view field, std::string_view where) {
  if (bits < 2 || bits > most) fail("{}: {} is {}; it must be 2 to {}", where, field, bits, most);
}

}  // namespace

const std::vector<std::string>& preset_names() {
  static const std::vector<std::string> names{"fp32", "bf16", "int8", "approach1", "approach2", "rowwise"};
  return names;
}

Recipe preset(std::string_view name) {
  if (name == "fp32") return float_recipe(name, Arithmetic::FP32);
  if (name == "bf16") return float_recipe(name, Arithmetic::BF16);
  if (name == "int8") return paper_recipe(name, OutlierTreatment::Untreated);
  if (name == "approach1") return paper_recipe(name, OutlierTreatment::UnifiedScale);
  if (name == "approach2") return paper_recipe(name, OutlierTreatment::TiledSplit);
  if (name == "rowwise") return Recipe{};
  fail("unknown recipe '{}'; the presets are {}", name, word_list(preset_names()));
}

void validate(const Recipe& recipe, std::string_view where) {
  // Far beyond any activation, and far from where gamma / 127 or 2 gamma would leave the normal floats.
  constexpr float least_gamma = 1e-20F;
  constexpr float most_gamma = 1e30F;
  check_bits(recipe.bits, 8, "bits", where);
  check_bits(recipe.outlier_bits, 12, "outlier_bits", where);
  if (!(recipe.gamma >= least_gamma && recipe.gamma <= most_gamma))
    fail("{}: gamma is {}; it must lie between {} and {}", where, recipe.gamma, least_gamma, most_gamma);
  if (recipe.outliers == OutlierTreatment::UnifiedScale && recipe.outlier_bits < recipe.bits)
    fail("{}: outlier_bits is {}, fewer than bits, which is {}", where, recipe.outlier_bits, recipe.bits);
}

}  // namespace fixtune
