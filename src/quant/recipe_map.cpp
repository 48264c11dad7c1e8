#include "fixtune/quant/recipe_map.h"

#include <algorithm>

namespace fixtune {

bool matches(std::string_view pattern, std::string_view name) {
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (n < name.size()) {
    if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n]) && pattern[p] != '*') {
      ++p;
      ++n;
    } else if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

Arithmetic RecipeMap::attention_arithmetic() const {
  if (attention) return *attention;
  return fallback.arithmetic == Arithmetic::FP32 ? Arithmetic::FP32 : Arithmetic::BF16;
}

const Recipe* RecipeMap::matched(std::string_view layer_name) const {
  for (const auto& [pattern, recipe] : layers)
    if (matches(pattern, layer_name)) return &recipe;
  return nullptr;
}

const Recipe& RecipeMap::operator()(std::string_view layer_name) const {
  const Recipe* recipe = matched(layer_name);
  return recipe != nullptr ? *recipe : fallback;
}

std::vector<std::string> RecipeMap::unmatched(const std::vector<std::string>& layer_names) const {
  std::vector<std::string> none;
  for (const auto& [pattern, recipe] : layers)
    if (std::none_of(layer_names.begin(), layer_names.end(),
                     [&p = pattern](const std::string& layer) { return matches(p, layer); }))
      none.push_back(pattern);
  return none;
}

}  // namespace fixtune
