#include "fixtune/train/recipe_file.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "fixtune/core/error.h"

namespace fixtune {
namespace {

const char* const field_names =
    "preset, name, arithmetic, outliers, gamma, isolation, bits, outlier_bits, block, step, rounding, backward, "
    "backward_x, integer_bias_gradient";

std::string text_of(const Json& value, const std::string& where) {
  if (!value.is_string()) fail("{}: must be a string, not {}", where, value.dump());
  return value.get<std::string>();
}

int whole_of(const Json& value, const std::string& where) {
  if (!value.is_number_integer()) fail("{}: must be a whole number, not {}", where, value.dump());
  const auto whole = value.get<std::int64_t>();
  if (whole < 0 || whole > 64) fail("{}: {} is out of range", where, whole);
  return static_cast<int>(whole);
}

void set_field(Recipe& recipe, const std::string& field, const Json& value, const std::string& where) {
  if (field == "preset") return;
  if (field == "name") {
    recipe.name = text_of(value, where);
  } else if (field == "arithmetic") {
    recipe.arithmetic = parse_arithmetic(text_of(value, where));
  } else if (field == "outliers") {
    recipe.outliers = parse_outlier_treatment(text_of(value, where));
  } else if (field == "gamma") {
    if (!value.is_number()) fail("{}: must be a number, not {}", where, value.dump());
    recipe.gamma = value.get<float>();
  } else if (field == "isolation") {
    recipe.isolation = parse_isolation(text_of(value, where));
  } else if (field == "bits") {
    recipe.bits = whole_of(value, where);
  } else if (field == "outlier_bits") {
    recipe.outlier_bits = whole_of(value, where);
  } else if (field == "block") {
    recipe.block = parse_block(text_of(value, where));
  } else if (field == "step") {
    recipe.step = parse_step_kind(text_of(value, where));
  } else if (field == "rounding") {
    recipe.rounding = parse_rounding(text_of(value, where));
  } else if (field == "backward") {
    recipe.backward = parse_backward_codes(text_of(value, where));
  } else if (field == "backward_x") {
    recipe.backward_x = parse_backward_x(text_of(value, where));
  } else if (field == "integer_bias_gradient") {
    if (!value.is_boolean()) fail("{}: must be true or false, not {}", where, value.dump());
    recipe.integer_bias_gradient = value.get<bool>();
  } else {
    fail("{}: unknown field (known: {})", where, field_names);
  }
}

Recipe parse_recipe(const Json& value, const std::string& where) {
  if (value.is_string()) return preset(value.get<std::string>());
  if (!value.is_object()) fail("{}: must be a preset's name or an object, not {}", where, value.dump());
  Recipe recipe = preset(value.contains("preset") ? text_of(value.at("preset"), where + ".preset") : "rowwise");
  for (const auto& [field, content] : value.items()) set_field(recipe, field, content, where + "." + field);
  validate(recipe, where);
  return recipe;
}

Json recipe_document(const Recipe& recipe) {
  return {{"name", recipe.name},
          {"arithmetic", to_string(recipe.arithmetic)},
          {"outliers", to_string(recipe.outliers)},
          {"gamma", recipe.gamma},
          {"isolation", to_string(recipe.isolation)},
          {"bits", recipe.bits},
          {"outlier_bits", recipe.outlier_bits},
          {"block", to_string(recipe.block)},
          {"step", to_string(recipe.step)},
          {"rounding", to_string(recipe.rounding)},
          {"backward", to_string(recipe.backward)},
          {"backward_x", to_string(recipe.backward_x)},
          {"integer_bias_gradient", recipe.integer_bias_gradient}};
}

}  // namespace

RecipeMap parse_recipes(const Json& document, std::string_view where) {
  const std::string file(where);
  if (!document.is_object()) fail("{}: must be an object with default and layers", file);
  RecipeMap recipes{preset("rowwise"), {}};
  for (const auto& [key, value] : document.items()) {
    if (key == "default") {
      recipes.fallback = parse_recipe(value, file + ": default");
    } else if (key == "layers" && value.is_object()) {
      for (const auto& [pattern, recipe] : value.items())
        recipes.layers.emplace_back(pattern, parse_recipe(recipe, file + ": layers." + pattern));
    } else {
      fail("{}: {}: unknown field, or not an object (known: default, layers)", file, key);
    }
  }
  return recipes;
}

RecipeMap read_recipes(const std::string& name_or_file) {
  const auto& names = preset_names();
  if (std::find(names.begin(), names.end(), name_or_file) != names.end()) return {preset(name_or_file), {}};
  if (!std::filesystem::exists(name_or_file))
    fail("recipe {} is neither a preset ({}) nor a file", name_or_file, fmt::join(names, ", "));
  return parse_recipes(read_json(name_or_file), name_or_file);
}

Json to_json(const RecipeMap& recipes) {
  Json layers = Json::object();
  for (const auto& [pattern, recipe] : recipes.layers) layers[pattern] = recipe_document(recipe);
  return {{"default", recipe_document(recipes.fallback)}, {"layers", std::move(layers)}};
}

}  // namespace fixtune
