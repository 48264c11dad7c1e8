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
  EXPECT_EQ(expected.format(), (Format{8, StepKind::PowerOfTwo, Block::Tensor, Rounding::Stochastic}));
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
  expect_round_trip(parse_isolation, {Isolation::Element, Isolation::Column});
  expect_round_trip(parse_backward_codes, {BackwardCodes::Folded, BackwardCodes::Requantised});
  expect_round_trip(parse_backward_x, {BackwardX::Plain, BackwardX::Split});
  expect_round_trip(parse_step_kind, {StepKind::PowerOfTwo, StepKind::FullRange});
  expect_round_trip(parse_block, {Block::Tensor, Block::Row});
  expect_round_trip(parse_rounding, {Rounding::Nearest, Rounding::Stochastic});
  EXPECT_EQ(to_string(StepKind::PowerOfTwo), "power_of_two");
  EXPECT_EQ(to_string(OutlierTreatment::UnifiedScale), "unified_scale");
  EXPECT_EQ(to_string(BackwardCodes::Requantised), "requantised");
}

}  // namespace
}  // namespace fixtune
