#pragma once

#include <string>
#include <vector>

#include "fixtune/io/json.h"
#include "fixtune/quant/information.h"
#include "fixtune/train/recipe_list.h"

namespace fixtune::theory {

/// What one recipe makes of one input.
struct RecipeRecord {
  InformationLoss loss;
  Mixture shifted;                ///< quantised values of X + shift, by the parts of X
  double even_error_variance = 0.0;  ///< what the steps alone predict for V(delta)
};

/// A part of the mixture (or the whole) under one recipe, as section 4 measures it.
struct Information {
  double variance = 0.0;          ///< V(X)
  double error_variance = 0.0;    ///< V(delta)
  double error_mean = 0.0;        ///< E(delta)
  double correlation = 0.0;       ///< of X and delta
  double sensitivity = 0.0;       ///< V(X)/V(X^)
  double uncorrelated_sensitivity = 0.0;  ///< V(X)/(V(X)+V(delta))
  double leverage = 0.0;          ///< (E(X^ of X+h) - E(X^)) / h
  double bound = 0.0;             ///< Eq. 6 for the shift h: (E(X^ of X+h) - E(X^))^2 / V(X^)
};

/// One linear layer's input (Q, K and V share theirs).
struct InputRecord {
  std::string name;
  float largest = 0.0F;
  Mixture mixture;
  std::vector<RecipeRecord> by_recipe;  ///< in the order of the recipes

  Information whole(std::size_t recipe, double shift) const;
  Information inliers(std::size_t recipe, double shift) const;
  Information outliers(std::size_t recipe, double shift) const;
};

/// How inputs are measured.
struct MeasureOptions {
  float gamma = 5.0F;   ///< parts X into inliers and outliers, for every recipe
  double shift = 0.01;  ///< h of Eq. 6
  std::uint64_t seed = 0;
};

/// Measures one input under every recipe. The recipes must be integer ones.
InputRecord measure_input(std::string_view name, ConstMatrixMap x, const std::vector<NamedRecipes>& recipes,
                          const MeasureOptions& options);

Json to_json(const InputRecord& record, const std::vector<NamedRecipes>& recipes, double shift);

}  // namespace fixtune::theory
