#include "theory/tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "fixtune/report/log_row_plot.h"
#include "fixtune/report/table.h"
#include "program/layer_names.h"

namespace fixtune::theory {
namespace {

using program::short_layer_name;

/// Four significant digits; "-" where undefined (no outliers, nothing varies).
std::string number(double value) { return std::isnan(value) ? "-" : fmt::format("{:.4g}", value); }

TextTable mixtures(const std::vector<InputRecord>& records) {
  TextTable table;
  table.header = {"input", "outliers, %", "largest", "V(X)", "V1(X)", "V2(X)", "within, % of V(X)", "between, % of V(X)"};
  for (const InputRecord& r : records) {
    const Mixture& m = r.mixture;
    const double whole = m.whole().variance();
    table.rows.push_back({short_layer_name(r.name), number(100.0 * (1.0 - m.share())), number(r.largest), number(whole),
                          number(m.inliers.variance()), m.outliers.count > 0.0 ? number(m.outliers.variance()) : "-",
                          number(100.0 * m.variance_within() / whole), number(100.0 * m.variance_between() / whole)});
  }
  return table;
}

/// The middle of the values, and the least.
struct Spread {
  double median = 0.0;
  double least = 0.0;
};

template <typename Value>
Spread spread_over(const std::vector<InputRecord>& records, Value value) {
  std::vector<double> values;
  for (const InputRecord& r : records) values.push_back(value(r));
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return {values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2.0, values.front()};
}

TextTable recipes_over_inputs(const std::vector<InputRecord>& records, const std::vector<NamedRecipes>& recipes,
                              double shift) {
  TextTable table;
  table.header = {"recipe", "V(delta), median", "V(delta) / even", "X: V/(V+Vd), median", "least", "X1: V/(V+Vd), median",
                  "least", "X1: V/V(X^), median", "X1: lev(X^), median", "least", "X1: bound, median"};
  for (std::size_t i = 0; i < recipes.size(); ++i) {
    const auto error = spread_over(records, [&](const InputRecord& r) { return r.whole(i, shift).error_variance; });
    const auto even = spread_over(records, [&](const InputRecord& r) {
      return r.whole(i, shift).error_variance / r.by_recipe[i].even_error_variance;
    });
    const auto whole =
        spread_over(records, [&](const InputRecord& r) { return r.whole(i, shift).uncorrelated_sensitivity; });
    const auto inliers =
        spread_over(records, [&](const InputRecord& r) { return r.inliers(i, shift).uncorrelated_sensitivity; });
    const auto first = spread_over(records, [&](const InputRecord& r) { return r.inliers(i, shift).sensitivity; });
    const auto leverage = spread_over(records, [&](const InputRecord& r) { return r.inliers(i, shift).leverage; });
    const auto bound = spread_over(records, [&](const InputRecord& r) { return r.inliers(i, shift).bound; });
    table.rows.push_back({recipes[i].name, number(error.median), number(even.median), number(whole.median),
                          number(whole.least), number(inliers.median), number(inliers.least), number(first.median),
                          number(leverage.median), number(leverage.least), number(bound.median)});
  }
  return table;
}

template <typename Value>
TextTable by_input(const std::vector<InputRecord>& records, const std::vector<NamedRecipes>& recipes, Value value) {
  TextTable table;
  table.header = {"input"};
  for (const NamedRecipes& r : recipes) table.header.push_back(r.name);
  for (const InputRecord& r : records) {
    std::vector<std::string> cells{short_layer_name(r.name)};
    for (std::size_t i = 0; i < recipes.size(); ++i) cells.push_back(number(value(r, i)));
    table.rows.push_back(std::move(cells));
  }
  return table;
}

}  // namespace

std::string markdown(const std::vector<InputRecord>& records, const std::vector<NamedRecipes>& recipes, double shift) {
  std::string text =
      fmt::format("Each recipe over the {} inputs (X1: the inliers; bound for a shift of {}):\n\n", records.size(), shift) +
      recipes_over_inputs(records, recipes, shift).markdown();
  text += "\nEach input as a mixture (Eq. 8 with |X|, Eq. 11):\n\n" + mixtures(records).markdown();
  const auto add = [&](const std::string& title, auto value) {
    text += fmt::format("\n{}:\n\n", title) + by_input(records, recipes, value).markdown();
  };
  add("Sensitivity ratio of the inliers, V1(X)/(V1(X)+V1(delta))", [&](const InputRecord& r, std::size_t i) {
    return r.inliers(i, shift).uncorrelated_sensitivity;
  });
  text += "\n<details><summary>The other figures of every input</summary>\n";
  add("Sensitivity ratio of the whole input, V(X)/(V(X)+V(delta)) (Eq. 5)", [&](const InputRecord& r, std::size_t i) {
    return r.whole(i, shift).uncorrelated_sensitivity;
  });
  add("The same as V(X)/V(X^)",
      [&](const InputRecord& r, std::size_t i) { return r.whole(i, shift).sensitivity; });
  add("Variance of the rounding error, V(delta)",
      [&](const InputRecord& r, std::size_t i) { return r.whole(i, shift).error_variance; });
  add(fmt::format("Bound of Eq. 6 for the whole input shifted by {}, `(E(X^ of X+h) - E(X^))^2 / V(X^)`", shift),
      [&](const InputRecord& r, std::size_t i) { return r.whole(i, shift).bound; });
  return text + "\n</details>\n";
}

std::string plot(const std::vector<InputRecord>& records, const std::vector<NamedRecipes>& recipes, double shift,
                 const std::string& title) {
  LogRowPlot plot{title, "share of the inliers' information lost", {}, {}};
  for (const NamedRecipes& r : recipes) plot.series.push_back(r.name);
  for (const InputRecord& r : records) {
    PlotRow row{short_layer_name(r.name), {}};
    for (std::size_t i = 0; i < recipes.size(); ++i)
      row.values.emplace_back(1.0 - r.inliers(i, shift).uncorrelated_sensitivity);
    plot.rows.push_back(std::move(row));
  }
  return plot.svg();
}

}  // namespace fixtune::theory
