#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fixtune/quant/recipe.h"

namespace fixtune {

/// Which recipe each integer layer of a model follows: the first pattern that matches its name, else the default.
///
/// In a pattern `*` stands for any characters, as in `encoder.layer.1?.output.dense`, where `?` stands for one.
struct RecipeMap {
  Recipe fallback;  ///< where no pattern matches
  std::vector<std::pair<std::string, Recipe>> layers;  ///< patterns and their recipes, tried in this order
  std::optional<Arithmetic> attention{};  ///< of attention's products, FP32 or BF16; unset: see attention_arithmetic

  /// FP32 where the default recipe is FP32, else BF16, which keeps 8 bits as its neighbours' INT8 does, and runs twice as
  /// fast on CPUs with AVX512-BF16.
  Arithmetic attention_arithmetic() const;

  const Recipe& operator()(std::string_view layer_name) const;  ///< The recipe of a layer.
  /// The recipe of the first pattern that matches; null where none does.
  const Recipe* matched(std::string_view layer_name) const;
  /// Patterns that match none of the names; a caller refuses them, since they are most likely misspelt.
  std::vector<std::string> unmatched(const std::vector<std::string>& layer_names) const;
};

/// True where the pattern (with `*` and `?`) covers the whole name.
bool matches(std::string_view pattern, std::string_view name);

}  // namespace fixtune
