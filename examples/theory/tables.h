#pragma once

#include <string>
#include <vector>

#include "theory/input_record.h"

namespace fixtune::theory {

/// The inputs as mixtures, each recipe over all inputs, and the information of the inliers by input and recipe.
std::string markdown(const std::vector<InputRecord>& records, const std::vector<NamedRecipes>& recipes, double shift);

/// The share of their information that each input's inliers lose: `V1(delta)/(V1(X)+V1(delta))`, by recipe.
std::string plot(const std::vector<InputRecord>& records, const std::vector<NamedRecipes>& recipes, double shift,
                 const std::string& title);

}  // namespace fixtune::theory
