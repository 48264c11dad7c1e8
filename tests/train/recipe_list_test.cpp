#include "fixtune/train/recipe_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixtune/core/error.h"
#include "../temporary_folder.h"

namespace fixtune {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string error_of(const std::string& content) {
  const TemporaryFolder folder;
  try {
    read_recipe_list(folder.write("list.json", content));
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(RecipeList, ReadsNamesGroupsAndRecipes) {
  const TemporaryFolder folder;
  const auto list = read_recipe_list(folder.write("list.json", R"([
    {"name": "paper", "recipe": "approach2"},
    {"group": "gamma", "name": "gamma 3", "recipe": {"default": {"preset": "rowwise", "gamma": 3},
                                                     "layers": {"encoder.layer.0.*": "fp32"}}}])"));
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].name, "paper");
  EXPECT_EQ(list[0].group, "");
  EXPECT_EQ(list[0].recipes.fallback, preset("approach2"));
  EXPECT_EQ(list[1].group, "gamma");
  EXPECT_EQ(list[1].recipes.fallback.gamma, 3.0F);
  EXPECT_EQ(list[1].recipes("encoder.layer.0.output.dense").arithmetic, Arithmetic::FP32);
}

TEST(RecipeList, NamesTheEntryAndFieldItRefuses) {
  EXPECT_THAT(error_of("{}"), HasSubstr("list.json"));
  EXPECT_THAT(error_of("[]"), HasSubstr("list of recipes"));
  EXPECT_THAT(error_of(R"([{"name": "a", "recipe": "fp32"}, {"recipe": "fp32"}])"), HasSubstr("entry 2"));
  EXPECT_THAT(error_of(R"([{"name": 3, "recipe": "fp32"}])"), AllOf(HasSubstr("entry 1"), HasSubstr("name")));
  EXPECT_THAT(error_of(R"([{"name": "a", "recipes": "fp32", "recipe": "fp32"}])"), HasSubstr("recipes: unknown field"));
  EXPECT_THAT(error_of(R"([{"name": "a", "recipe": "fp31"}])"), AllOf(HasSubstr("entry 1 (a)"), HasSubstr("fp31")));
  EXPECT_THAT(error_of(R"([{"name": "a", "recipe": {"default": {"gamma": "x"}}}])"),
              AllOf(HasSubstr("entry 1 (a)"), HasSubstr("gamma")));
  EXPECT_THAT(error_of(R"([{"name": "a", "recipe": "fp32"}, {"name": "a", "recipe": "bf16"}])"),
              HasSubstr("two entries are named a"));
}

}  // namespace
}  // namespace fixtune
