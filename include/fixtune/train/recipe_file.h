#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "fixtune/io/json.h"
#include "fixtune/quant/recipe_map.h"

namespace fixtune {

/// A recipe map from a preset's name, or from a JSON file:
///
///     {"default": "rowwise",
///      "layers": {"encoder.layer.10.*": {"preset": "rowwise", "gamma": 3.0}, "encoder.layer.0.*": "fp32"},
///      "attention": "fp32"}
///
/// Patterns are tried in the file's order. Throws Error naming the file, and the field where one is unknown.
RecipeMap read_recipes(const std::string& name_or_file);

/// The same from a parsed document, a preset's name or such an object; `where` names it in messages.
RecipeMap parse_recipes(const Json& document, std::string_view where);

/// The document that parse_recipes turns back into the same recipes.
Json to_json(const RecipeMap& recipes);

}  // namespace fixtune
