#include "fixtune/quant/recipe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "fixtune/core/error.h"

namespace fixtune {
namespace {

std::string error_of(const Recipe& recipe) {
  try {
    validate(recipe, "layer 3");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Recipe, PresetsAreThoseOfTheDesign) {
  EXPECT_THAT(preset_names(), testing::ElementsAre("fp32", "bf16", "int8", "approach1", "approach2", "rowwise"));
  for (const std::string& name : preset_names()) {
    EXPECT_EQ(preset(name).name, name);
    EXPECT_EQ(error_of(preset(name)), "");
    EXPECT_EQ(preset(name).gamma, 5.0F);
  }
  EXPECT_EQ(preset("fp32").arithmetic, Arithmetic::FP32);
  EXPECT_EQ(preset("bf16").arithmetic, Arithmetic::BF16);
  EXPECT_EQ(preset("rowwise"), Recipe{});
}

TEST(Recipe, PaperPresetsDifferInTheOutliersOnly) {
  Recipe expected = preset("int8");
  EXPECT_EQ(expected.format_x(), (Format{8, StepKind::PowerOfTwo, Block::Tensor, Rounding::Stochastic}));
  EXPECT_EQ(expected.backward_x, BackwardX::Plain);
  EXPECT_EQ(expected.outliers, OutlierTreatment::Untreated);
  expected.name = "approach1";
  expected.outliers = OutlierTreatment::UnifiedScale;
  EXPECT_EQ(preset("approach1"), expected);
  expected.name = "approach2";
  expected.outliers = OutlierTreatment::TiledSplit;
  EXPECT_EQ(preset("approach2"), expected);
}

TEST(Recipe, UnknownPresetListsTheNames) {
  EXPECT_THAT([] { preset("int9"); },
              testing::ThrowsMessage<Error>(testing::AllOf(testing::HasSubstr("int9"), testing::HasSubstr("rowwise"))));
}

TEST(Recipe, BadSettingsAreNamed) {
  for (const int bits : {1, 9}) {
    Recipe recipe;
    recipe.bits = bits;
    EXPECT_THAT(error_of(recipe), testing::HasSubstr("layer 3: bits"));
  }
  for (const int bits : {1, 13}) {
    Recipe recipe;
    recipe.outlier_bits = bits;
    EXPECT_THAT(error_of(recipe), testing::HasSubstr("outlier_bits"));
  }
  for (const float gamma : {0.0F, -5.0F, std::nanf(""), std::numeric_limits<float>::infinity()}) {
    Recipe recipe;
    recipe.gamma = gamma;
    EXPECT_THAT(error_of(recipe), testing::HasSubstr("gamma"));
  }
}

TEST(Recipe, OperandsFollowTheCommonSettingUnlessTheyHaveTheirOwn) {
  Recipe recipe;
  recipe.bits = 6;
  recipe.bits_w = 12;
  recipe.rounding_dw = Rounding::Stochastic;
  EXPECT_EQ(recipe.format_x().bits, 6);
  EXPECT_EQ(recipe.format_w().bits, 12);
  EXPECT_EQ(recipe.format_dx(), recipe.format_x());
  EXPECT_EQ(recipe.format_dw().rounding, Rounding::Stochastic);
  EXPECT_EQ(recipe.format_dw().bits, 6);
}

TEST(Recipe, ContradictionsAreNamed) {
  const auto error_with = [](const char* base, void (*change)(Recipe&)) {
    Recipe recipe = preset(base);
    change(recipe);
    return error_of(recipe);
  };
  using testing::HasSubstr;
  EXPECT_THAT(error_with("rowwise", [](Recipe& r) { r.bits_dw = 13; }), HasSubstr("bits_dw is 13"));
  EXPECT_THAT(error_with("approach2", [](Recipe& r) { r.gamma_rule = GammaRule::RowRms; }), HasSubstr("row_rms"));
  EXPECT_THAT(error_with("approach1", [](Recipe& r) { r.bits_x = 12; }), HasSubstr("bits_x"));
  EXPECT_THAT(error_with("rowwise", [](Recipe& r) { r.weight_gamma = -1.0F; }), HasSubstr("weight_gamma"));
  EXPECT_THAT(error_with("rowwise", [](Recipe& r) { r.bits_w = 9, r.weight_gamma = 6.0F; }), HasSubstr("weight_gamma"));
  EXPECT_THAT(error_with("rowwise", [](Recipe& r) { r.bits_dx = 9, r.gradient_gamma = 6.0F; }),
              HasSubstr("gradient_gamma"));
  EXPECT_THAT(error_with("rowwise", [](Recipe& r) { r.step = StepKind::PowerOfTwo, r.gradient_gamma = 6.0F; }),
              HasSubstr("gradient_gamma"));
  EXPECT_THAT(error_with("rowwise", [](Recipe& r) { r.integer_bias_gradient = true, r.gradient_gamma = 6.0F; }),
              HasSubstr("integer_bias_gradient"));
}

template <typename Enum, typename Parse>
void expect_round_trip(Parse parse, std::initializer_list<Enum> values) {
  for (const Enum value : values) EXPECT_EQ(parse(to_string(value)), value);
  EXPECT_THAT([&] { parse("fancy"); }, testing::ThrowsMessage<Error>(testing::AllOf(
                                           testing::HasSubstr("'fancy'"),
                                           testing::HasSubstr(std::string(to_string(*values.begin()))))));
}

TEST(Recipe, WordsReadBack) {
  expect_round_trip(parse_arithmetic, {Arithmetic::FP32, Arithmetic::BF16, Arithmetic::Integer});
  expect_round_trip(parse_outlier_treatment, {OutlierTreatment::Untreated, OutlierTreatment::UnifiedScale,
                                              OutlierTreatment::TiledSplit});
  expect_round_trip(parse_gamma_rule, {GammaRule::Fixed, GammaRule::TensorRms, GammaRule::RowRms});
  expect_round_trip(parse_isolation, {Isolation::Element, Isolation::Column});
  expect_round_trip(parse_backward_codes, {BackwardCodes::Folded, BackwardCodes::Requantised, BackwardCodes::RequantisedWeight});
  expect_round_trip(parse_backward_x, {BackwardX::Plain, BackwardX::Split, BackwardX::Remainder});
  expect_round_trip(parse_step_kind, {StepKind::PowerOfTwo, StepKind::FullRange});
  expect_round_trip(parse_block, {Block::Tensor, Block::Row});
  expect_round_trip(parse_rounding, {Rounding::Nearest, Rounding::Stochastic, Rounding::Dithered});
  EXPECT_EQ(to_string(StepKind::PowerOfTwo), "power_of_two");
  EXPECT_EQ(to_string(OutlierTreatment::UnifiedScale), "unified_scale");
  EXPECT_EQ(to_string(BackwardCodes::Requantised), "requantised");
}

}  // namespace
}  // namespace fixtune
