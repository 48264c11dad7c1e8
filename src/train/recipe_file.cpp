#include "fixtune/train/recipe_file.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

#include "fixtune/core/error.h"

namespace fixtune {
namespace {

const char* const field_names =
    "preset, name, arithmetic, outliers, gamma, gamma_rule, isolation, bits, bits_x, bits_w, bits_dx, bits_dw, "
    "outlier_bits, block, step, rounding, rounding_dx, rounding_dw, backward, backward_x, integer_bias_gradient, "
    "weight_gamma, gradient_gamma";

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

float number_of(const Json& value, const std::string& where) {
  if (!value.is_number()) fail("{}: must be a number, not {}", where, value.dump());
  return value.get<float>();
}

/// The field's place in the recipe, for those that speak of one operand; null for others.
std::optional<int>* operand_bits(Recipe& recipe, const std::string& field) {
  if (field == "bits_x") return &recipe.bits_x;
  if (field == "bits_w") return &recipe.bits_w;
  if (field == "bits_dx") return &recipe.bits_dx;
  if (field == "bits_dw") return &recipe.bits_dw;
  return nullptr;
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
    recipe.gamma = number_of(value, where);
  } else if (field == "gamma_rule") {
    recipe.gamma_rule = parse_gamma_rule(text_of(value, where));
  } else if (field == "weight_gamma") {
    recipe.weight_gamma = number_of(value, where);
  } else if (field == "gradient_gamma") {
    recipe.gradient_gamma = number_of(value, where);
  } else if (std::optional<int>* bits = operand_bits(recipe, field)) {
    *bits = whole_of(value, where);
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
  } else if (field == "rounding_dx") {
    recipe.rounding_dx = parse_rounding(text_of(value, where));
  } else if (field == "rounding_dw") {
    recipe.rounding_dw = parse_rounding(text_of(value, where));
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

Recipe preset_at(const std::string& name, const std::string& where) try {
  return preset(name);
} catch (const Error& error) {
  fail("{}: {}", where, error.what());
}

Recipe parse_recipe(const Json& value, const std::string& where) {
  if (value.is_string()) return preset_at(value.get<std::string>(), where);
  if (!value.is_object()) fail("{}: must be a preset's name or an object, not {}", where, value.dump());
  Recipe recipe = preset_at(value.contains("preset") ? text_of(value.at("preset"), where + ".preset") : "rowwise", where);
  // Said of all operands, it is so for those that only the preset says something else of.
  if (value.contains("rounding")) recipe.rounding_dx = recipe.rounding_dw = std::nullopt;
  for (const auto& [field, content] : value.items()) set_field(recipe, field, content, where + "." + field);
  validate(recipe, where);
  return recipe;
}

/// What is said of one operand only is written where it is said, so that older documents stay as they were.
void add_operand_fields(const Recipe& recipe, Json& document) {
  if (recipe.gamma_rule != GammaRule::Fixed) document["gamma_rule"] = to_string(recipe.gamma_rule);
  if (recipe.weight_gamma > 0.0F) document["weight_gamma"] = recipe.weight_gamma;
  if (recipe.gradient_gamma > 0.0F) document["gradient_gamma"] = recipe.gradient_gamma;
  if (recipe.bits_x) document["bits_x"] = *recipe.bits_x;
  if (recipe.bits_w) document["bits_w"] = *recipe.bits_w;
  if (recipe.bits_dx) document["bits_dx"] = *recipe.bits_dx;
  if (recipe.bits_dw) document["bits_dw"] = *recipe.bits_dw;
  if (recipe.rounding_dx) document["rounding_dx"] = to_string(*recipe.rounding_dx);
  if (recipe.rounding_dw) document["rounding_dw"] = to_string(*recipe.rounding_dw);
}

Json recipe_document(const Recipe& recipe) {
  Json document{{"name", recipe.name},
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
  add_operand_fields(recipe, document);
  return document;
}

}  // namespace

RecipeMap parse_recipes(const Json& document, std::string_view where) {
  const std::string file(where);
  if (document.is_string()) return {preset_at(document.get<std::string>(), file), {}};
  if (!document.is_object()) fail("{}: must be a preset's name, or an object with default and layers", file);
  RecipeMap recipes{preset("rowwise"), {}};
  for (const auto& [key, value] : document.items()) {
    if (key == "default") {
      recipes.fallback = parse_recipe(value, file + ": default");
    } else if (key == "layers" && value.is_object()) {
      for (const auto& [pattern, recipe] : value.items())
        recipes.layers.emplace_back(pattern, parse_recipe(recipe, file + ": layers." + pattern));
    } else if (key == "attention") {
      if (value != "fp32" && value != "bf16") fail("{}: attention: must be \"fp32\" or \"bf16\", is {}", file, value.dump());
      recipes.attention = value == "fp32" ? Arithmetic::FP32 : Arithmetic::BF16;
    } else {
      fail("{}: {}: unknown field, or not an object (known: default, layers, attention)", file, key);
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
  return {{"default", recipe_document(recipes.fallback)},
          {"layers", std::move(layers)},
          {"attention", to_string(recipes.attention_arithmetic())}};
}

}  // namespace fixtune
