// The recipes that the documentation shows are read without complaint.
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>
#include <string>

#include "fixtune/io/json.h"
#include "fixtune/train/recipe_file.h"
#include "fixtune/train/recipe_list.h"

namespace fixtune {
namespace {

TEST(Docs, RecipesShownAreRead) {
  std::istringstream files(FIXTUNE_DOC_RECIPES);
  int count = 0;
  for (std::string file; std::getline(files, file, '|'); ++count) {
    SCOPED_TRACE(file);
    if (read_json(file).is_array())
      EXPECT_FALSE(read_recipe_list(file).empty());
    else
      EXPECT_FALSE(read_recipes(file).layers.empty());
  }
  EXPECT_GE(count, 3);
}

}  // namespace
}  // namespace fixtune
