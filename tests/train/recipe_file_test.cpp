#include "fixtune/train/recipe_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixtune/core/error.h"

namespace fixtune {
namespace {

using ::testing::HasSubstr;

std::string refusal(const char* text) {
  try {
    parse_recipes(parse_json(text, "r.json"), "r.json");
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

TEST(RecipeFile, EveryPresetComesBackFromItsDocument) {
  for (const std::string& name : preset_names()) {
    const RecipeMap recipes = parse_recipes(to_json({preset(name), {}}), "r.json");
    EXPECT_EQ(recipes.fallback, preset(name)) << name;
  }
}

TEST(RecipeFile, WhatIsSaidOfOneOperandComesBack) {
  const Json document = parse_json(R"({"default": {
    "preset": "rowwise", "gamma_rule": "row_rms", "gamma": 4.5, "weight_gamma": 6.0, "gradient_gamma": 7.0, "bits_x": 7,
    "bits_w": 6, "bits_dx": 5, "bits_dw": 4, "rounding_dx": "nearest", "rounding_dw": "stochastic",
    "backward_x": "remainder"}})", "r.json");
  const Recipe recipe = parse_recipes(document, "r.json").fallback;
  Recipe expected;
  expected.gamma_rule = GammaRule::RowRms;
  expected.gamma = 4.5F;
  expected.weight_gamma = 6.0F;
  expected.gradient_gamma = 7.0F;
  expected.bits_x = 7;
  expected.bits_w = 6;
  expected.bits_dx = 5;
  expected.bits_dw = 4;
  expected.rounding_dx = Rounding::Nearest;
  expected.rounding_dw = Rounding::Stochastic;
  expected.backward_x = BackwardX::Remainder;
  EXPECT_EQ(recipe, expected);
  EXPECT_EQ(parse_recipes(to_json({recipe, {}}), "r.json").fallback, expected);
  EXPECT_EQ(parse_recipes(Json("approach1"), "r.json").fallback, preset("approach1"));
}

TEST(RecipeFile, ARoundingSaidOfAllIsNotOverruledByThePreset) {
  const auto recipe = [](const char* text) { return parse_recipes(parse_json(text, "r.json"), "r.json").fallback; };
  EXPECT_EQ(recipe(R"({"default": {}})").format_dw().rounding, Rounding::Dithered);
  EXPECT_EQ(recipe(R"({"default": {"rounding": "nearest"}})").format_dw().rounding, Rounding::Nearest);
  const Recipe both = recipe(R"({"default": {"rounding_dw": "stochastic", "rounding": "nearest"}})");
  EXPECT_EQ(both.format_dw().rounding, Rounding::Stochastic);
  EXPECT_EQ(both.format_dx().rounding, Rounding::Nearest);
}

TEST(RecipeFile, PatternsAreTriedInOrder) {
  const RecipeMap recipes = parse_recipes(parse_json(R"({
    "default": "approach2",
    "layers": {"encoder.layer.1.output.*": {"preset": "rowwise", "gamma": 3.0}, "encoder.layer.?.*": "fp32"}
  })", "r.json"), "r.json");
  EXPECT_EQ(recipes("encoder.layer.1.output.dense").gamma, 3.0F);
  EXPECT_EQ(recipes("encoder.layer.1.intermediate.dense"), preset("fp32"));
  EXPECT_EQ(recipes("encoder.layer.10.output.dense"), preset("approach2"));
  EXPECT_THAT(recipes.unmatched({"encoder.layer.0.output.dense"}), ::testing::ElementsAre("encoder.layer.1.output.*"));
}

TEST(RecipeFile, AttentionMultipliesInBf16UnlessTheDefaultOrTheFileSaysOtherwise) {
  const auto attention = [](const char* text) {
    const RecipeMap recipes = parse_recipes(parse_json(text, "r.json"), "r.json");
    EXPECT_EQ(parse_recipes(to_json(recipes), "r.json").attention_arithmetic(), recipes.attention_arithmetic()) << text;
    return recipes.attention_arithmetic();
  };
  EXPECT_EQ(attention(R"("fp32")"), Arithmetic::FP32);
  EXPECT_EQ(attention(R"("bf16")"), Arithmetic::BF16);
  EXPECT_EQ(attention(R"("rowwise")"), Arithmetic::BF16);
  EXPECT_EQ(attention(R"({"default": "rowwise", "attention": "fp32"})"), Arithmetic::FP32);
  EXPECT_EQ(attention(R"({"default": "fp32", "attention": "bf16"})"), Arithmetic::BF16);
}

TEST(RecipeFile, RefusalsNameTheField) {
  EXPECT_THAT(refusal(R"({"attention": "integer"})"), HasSubstr("attention"));
  EXPECT_THAT(refusal(R"({"default": "roowise"})"), HasSubstr("roowise"));
  EXPECT_THAT(refusal(R"({"default": {"gama": 3}})"), HasSubstr("gama"));
  EXPECT_THAT(refusal(R"({"default": {"gamma": "x"}})"), HasSubstr("gamma"));
  EXPECT_THAT(refusal(R"({"default": {"bits_dw": 13}})"), HasSubstr("bits_dw"));
  EXPECT_THAT(refusal(R"({"default": {"rounding_dx": "up"}})"), HasSubstr("'up'"));
  EXPECT_THAT(refusal(R"("roowise")"), HasSubstr("r.json"));
  EXPECT_THAT(refusal(R"({"default": {"bits": 33}})"), HasSubstr("bits"));
  EXPECT_THAT(refusal(R"({"defaults": "fp32"})"), HasSubstr("defaults"));
  EXPECT_THAT(refusal(R"([1])"), HasSubstr("r.json"));
}

}  // namespace
}  // namespace fixtune
