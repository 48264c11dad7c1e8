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

TEST(RecipeFile, RefusalsNameTheField) {
  EXPECT_THAT(refusal(R"({"default": "roowise"})"), HasSubstr("roowise"));
  EXPECT_THAT(refusal(R"({"default": {"gama": 3}})"), HasSubstr("gama"));
  EXPECT_THAT(refusal(R"({"default": {"gamma": "x"}})"), HasSubstr("gamma"));
  EXPECT_THAT(refusal(R"({"default": {"bits": 33}})"), HasSubstr("bits"));
  EXPECT_THAT(refusal(R"({"defaults": "fp32"})"), HasSubstr("defaults"));
  EXPECT_THAT(refusal(R"([1])"), HasSubstr("r.json"));
}

}  // namespace
}  // namespace fixtune
