#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "fixtune/quant/recipe_map.h"

namespace fixtune {

/// A recipe to be set beside others.
struct NamedRecipes {
  std::string name;   ///< unique in its list
  std::string group;  ///< what it is compared for ("gamma", "bits"); may be empty
  RecipeMap recipes;  ///< as parse_recipes() reads them
};

/// Recipes to compare, from a JSON file:
///
///     [{"name": "rowwise", "recipe": "rowwise"},
///      {"group": "gamma", "name": "gamma 3", "recipe": {"default": {"preset": "rowwise", "gamma": 3}}}]
///
/// `recipe` is a preset's name or a recipe document. Throws Error naming the file, the entry and the field; two entries
/// of one name are refused.
std::vector<NamedRecipes> read_recipe_list(const std::filesystem::path& file);

}  // namespace fixtune
