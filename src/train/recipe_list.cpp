#include "fixtune/train/recipe_list.h"

#include <algorithm>

#include "fixtune/core/error.h"
#include "fixtune/train/recipe_file.h"

namespace fixtune {
namespace {

std::string text_of(const Json& entry, const char* field, const std::string& where) {
  if (!entry.at(field).is_string()) fail("{}: {} must be a string, not {}", where, field, entry.at(field).dump());
  return entry.at(field).get<std::string>();
}

NamedRecipes parse_entry(const Json& entry, const std::string& where) {
  if (!entry.is_object() || !entry.contains("name") || !entry.contains("recipe"))
    fail("{}: must be an object with name and recipe", where);
  for (const auto& [field, value] : entry.items())
    if (field != "name" && field != "group" && field != "recipe")
      fail("{}: {}: unknown field (known: name, group, recipe)", where, field);
  NamedRecipes named;
  named.name = text_of(entry, "name", where);
  if (entry.contains("group")) named.group = text_of(entry, "group", where);
  named.recipes = parse_recipes(entry.at("recipe"), where + " (" + named.name + "): recipe");
  return named;
}

}  // namespace

std::vector<NamedRecipes> read_recipe_list(const std::filesystem::path& file) {
  const Json document = read_json(file);
  if (!document.is_array() || document.empty()) fail("{}: must be a list of recipes with names", file.string());
  std::vector<NamedRecipes> list;
  for (std::size_t i = 0; i < document.size(); ++i) {
    NamedRecipes entry = parse_entry(document[i], fmt::format("{}: entry {}", file.string(), i + 1));
    if (std::any_of(list.begin(), list.end(), [&](const NamedRecipes& other) { return other.name == entry.name; }))
      fail("{}: two entries are named {}", file.string(), entry.name);
    list.push_back(std::move(entry));
  }
  return list;
}

}  // namespace fixtune
