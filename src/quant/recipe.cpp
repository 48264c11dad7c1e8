#include "fixtune/quant/recipe.h"

#include <algorithm>
#include <utility>

#include "fixtune/core/error.h"
#include "quant/word_list.h"

namespace fixtune {
namespace {

Recipe float_recipe(std::string_view name, Arithmetic arithmetic) {
  Recipe recipe;
  recipe.name = name;
  recipe.arithmetic = arithmetic;
  recipe.outliers = OutlierTreatment::Untreated;
  recipe.rounding_dw.reset();
  recipe.backward = BackwardCodes::Folded;
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
  recipe.rounding_dw.reset();
  recipe.backward = BackwardCodes::Folded;
  recipe.backward_x = BackwardX::Plain;
  return recipe;
}

/// A row's own gamma leaves one integer unit for all digits only where steps follow gamma: full range, by row.
void check_gamma_rule(const Recipe& recipe, std::string_view where) {
  if (recipe.gamma_rule != GammaRule::RowRms) return;
  if (recipe.block != Block::Row || recipe.step != StepKind::FullRange)
    fail("{}: gamma_rule row_rms needs block row and step full_range", where);
  if (recipe.outliers == OutlierTreatment::UnifiedScale)
    fail("{}: gamma_rule row_rms needs outliers tiled_split: a unified scale has one step for all rows", where);
}

void check_planes(const Recipe& recipe, std::string_view where) {
  const bool folded_rows = recipe.block == Block::Row && recipe.step == StepKind::PowerOfTwo;
  for (const auto& [gamma, field] : {std::pair{recipe.weight_gamma, "weight_gamma"},
                                     std::pair{recipe.gradient_gamma, "gradient_gamma"}}) {
    if (!(gamma >= 0.0F && gamma <= 1e6F)) fail("{}: {} is {}; it must be 0 to 1e6", where, field, gamma);
    if (gamma > 0.0F && folded_rows) fail("{}: {} needs block tensor, or step full_range", where, field);
  }
  if (recipe.weight_gamma > 0.0F && recipe.format_w().bits > 8)
    fail("{}: weight_gamma needs W in at most 8 bits", where);
  if (recipe.gradient_gamma > 0.0F && std::max(recipe.format_dx().bits, recipe.format_dw().bits) > 8)
    fail("{}: gradient_gamma needs dY in at most 8 bits", where);
  const bool one_plane = recipe.gradient_gamma == 0.0F && recipe.format_dw().bits <= 8;
  if (recipe.integer_bias_gradient && !one_plane)
    fail("{}: integer_bias_gradient needs dY in one plane: bits_dw at most 8, no gradient_gamma", where);
  if (recipe.outliers == OutlierTreatment::UnifiedScale && recipe.format_x().bits > 8)
    fail("{}: bits_x above 8 needs outliers untreated or tiled_split", where);
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
  check_bits(recipe.format_x().bits, 12, "bits_x", where);
  check_bits(recipe.format_w().bits, 12, "bits_w", where);
  check_bits(recipe.format_dx().bits, 12, "bits_dx", where);
  check_bits(recipe.format_dw().bits, 12, "bits_dw", where);
  check_bits(recipe.outlier_bits, 12, "outlier_bits", where);
  if (!(recipe.gamma >= least_gamma && recipe.gamma <= most_gamma))
    fail("{}: gamma is {}; it must lie between {} and {}", where, recipe.gamma, least_gamma, most_gamma);
  if (recipe.outliers == OutlierTreatment::UnifiedScale && recipe.outlier_bits < std::max(recipe.format_x().bits, recipe.format_w().bits))
    fail("{}: outlier_bits is {}, fewer than bits, which is {}", where, recipe.outlier_bits,
         std::max(recipe.format_x().bits, recipe.format_w().bits));
  check_gamma_rule(recipe, where);
  check_planes(recipe, where);
}

}  // namespace fixtune
