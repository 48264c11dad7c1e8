#include "theory/input_record.h"

#include <cmath>

#include "program/layer_names.h"

namespace fixtune::theory {
namespace {

ConstMatrixMap view(const Matrix& m) { return {m.data(), m.rows(), m.cols(), Eigen::OuterStride<>(m.cols())}; }

/// Q, K and V read one input, which is quantised by the recipe of Q.
const Recipe& recipe_of(const RecipeMap& recipes, std::string_view input) {
  return recipes(program::readers_of(input).front());
}

RecipeRecord measure(std::string_view name, ConstMatrixMap x, ConstMatrixMap shifted, const Recipe& recipe,
                     const MeasureOptions& options) {
  const RandomStream random({options.seed, 0, 0}, tensor_id(std::string(name).c_str()));
  const QuantizedActivation q = quantize_activation(x, recipe, random, name);
  RecipeRecord record;
  record.loss = information_loss(x, dequantize(q), options.gamma);
  // The same random numbers: what differs is the shift.
  record.shifted = mixture_of(dequantize(quantize_activation(shifted, recipe, random, name)), x, options.gamma);
  record.even_error_variance = even_error_variance(q, recipe.rounding);
  return record;
}

Information information(const Moments& x, const Moments& quantised, const Moments& error, const Moments& shifted,
                        double shift) {
  const double moved = shifted.mean - quantised.mean;
  return {.variance = x.variance(),
          .error_variance = error.variance(),
          .error_mean = error.mean,
          .correlation = error_correlation(x, quantised, error),
          .sensitivity = sensitivity_ratio(x, quantised),
          .uncorrelated_sensitivity = uncorrelated_sensitivity_ratio(x, error),
          .leverage = moved / shift,
          .bound = chapman_robbins_bound(moved, quantised.variance())};
}

Json to_json(const Information& i) {
  return {{"variance", i.variance},
          {"error_variance", i.error_variance},
          {"error_mean", i.error_mean},
          {"correlation", i.correlation},
          {"sensitivity", i.sensitivity},
          {"uncorrelated_sensitivity", i.uncorrelated_sensitivity},
          {"leverage", i.leverage},
          {"bound", i.bound}};
}

Json to_json(const Mixture& m) {
  return {{"inlier_share", m.share()},
          {"variance", m.whole().variance()},
          {"inlier_variance", m.inliers.variance()},
          {"outlier_variance", m.outliers.variance()},
          {"outlier_mean", m.outliers.mean},
          {"variance_within", m.variance_within()},
          {"variance_between", m.variance_between()}};
}

}  // namespace

InputRecord measure_input(std::string_view name, ConstMatrixMap x, const std::vector<NamedRecipes>& recipes,
                          const MeasureOptions& options) {
  InputRecord record;
  record.name = name;
  record.largest = x.size() == 0 ? 0.0F : x.cwiseAbs().maxCoeff();
  record.mixture = mixture_of(x, options.gamma);
  const Matrix shifted = x.array() + static_cast<float>(options.shift);
  for (const NamedRecipes& r : recipes)
    record.by_recipe.push_back(measure(name, x, view(shifted), recipe_of(r.recipes, name), options));
  return record;
}

Information InputRecord::whole(std::size_t recipe, double shift) const {
  const RecipeRecord& r = by_recipe[recipe];
  return information(r.loss.original.whole(), r.loss.quantised.whole(), r.loss.error.whole(), r.shifted.whole(), shift);
}

Information InputRecord::inliers(std::size_t recipe, double shift) const {
  const RecipeRecord& r = by_recipe[recipe];
  return information(r.loss.original.inliers, r.loss.quantised.inliers, r.loss.error.inliers, r.shifted.inliers, shift);
}

Information InputRecord::outliers(std::size_t recipe, double shift) const {
  const RecipeRecord& r = by_recipe[recipe];
  return information(r.loss.original.outliers, r.loss.quantised.outliers, r.loss.error.outliers, r.shifted.outliers,
                     shift);
}

Json to_json(const InputRecord& record, const std::vector<NamedRecipes>& recipes, double shift) {
  Json by_recipe = Json::object();
  for (std::size_t i = 0; i < recipes.size(); ++i)
    by_recipe[recipes[i].name] = {{"even_error_variance", record.by_recipe[i].even_error_variance},
                                  {"whole", to_json(record.whole(i, shift))},
                                  {"inliers", to_json(record.inliers(i, shift))},
                                  {"outliers", to_json(record.outliers(i, shift))}};
  Json document{{"input", record.name}, {"largest", record.largest}, {"mixture", to_json(record.mixture)}};
  document["recipes"] = std::move(by_recipe);
  return document;
}

}  // namespace fixtune::theory
