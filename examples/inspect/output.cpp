#include "inspect/output.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "fixtune/report/table.h"
#include "fixtune/train/recipe_file.h"
#include "inspect/page.h"
#include "program/layer_names.h"

namespace fixtune::inspect {
namespace {

constexpr std::string_view untreated = "int8";
constexpr std::size_t shown_columns = 3;

std::string percent(double value) { return fmt::format("{:.3g}", 100.0 * value); }

/// "-" for a figure that an FP32 or BF16 layer does not have.
std::string number(double value) { return value == 0.0 ? "-" : fmt::format("{:.3g}", value); }
std::string percent_or_dash(double value) { return value == 0.0 ? "-" : percent(value); }

/// Four significant digits: what a pixel or a bar can show.
double rounded(double value) {
  if (value == 0.0 || !std::isfinite(value)) return value;
  const double unit = std::pow(10.0, std::floor(std::log10(std::abs(value))) - 3.0);
  return std::round(value / unit) * unit;
}

/// "308 (97 %), 381 (40 %)": the columns with most outliers, and in how many tokens.
std::string columns_of(const InputFigures& input) {
  std::string text;
  for (std::size_t i = 0; i < std::min(shown_columns, input.outlier_columns.size()); ++i) {
    const OutlierColumn& c = input.outlier_columns[i];
    text += fmt::format("{}{} ({:.0f} %)", i == 0 ? "" : ", ", c.column,
                        100.0 * static_cast<double>(c.outliers) / static_cast<double>(input.tokens));
  }
  if (input.outlier_columns.size() > shown_columns)
    text += fmt::format(", {} more", input.outlier_columns.size() - shown_columns);
  return text.empty() ? "-" : text;
}

double error_under(const LayerFigures& layer, std::string_view recipe) {
  const auto found = std::find_if(layer.others.begin(), layer.others.end(),
                                  [&](const ProductError& other) { return other.recipe == recipe; });
  return found == layer.others.end() ? 0.0 : found->error;
}

/// How many times smaller the product's error is than with outliers untreated.
double gain(const LayerFigures& layer, std::string_view recipe) {
  const double error = error_under(layer, recipe);
  return error == 0.0 ? 0.0 : error_under(layer, untreated) / error;
}

Json to_json(const InputFigures& input) {
  Json columns = Json::array(), largest = Json::array(), counts = Json::array();
  for (const OutlierColumn& c : input.outlier_columns)
    columns.push_back({{"column", c.column}, {"outliers", c.outliers}, {"largest", rounded(c.largest)}});
  for (const float value : input.column_largest) largest.push_back(rounded(value));
  for (const Index count : input.histogram.counts) counts.push_back(count);
  return {{"name", input.name},
          {"tokens", input.tokens},
          {"columns", input.columns},
          {"threshold", input.threshold},
          {"outliers", input.outliers},
          {"element_share", input.element_share()},
          {"column_share", input.column_share()},
          {"largest", input.largest},
          {"step", input.step},
          {"error", input.error},
          {"outlier_columns", std::move(columns)},
          {"column_largest", std::move(largest)},
          {"histogram", {{"lowest_exponent", Histogram::lowest}, {"counts", std::move(counts)}}}};
}

Json to_json(const LayerFigures& layer, const std::string& choice) {
  Json errors = Json::object(), gains = Json::object();
  for (const ProductError& other : layer.others) errors[other.recipe] = other.error;
  for (const std::string_view recipe : {"approach1", "approach2", "rowwise"})
    gains[std::string(recipe)] = gain(layer, recipe);
  return {{"name", layer.name},
          {"input", layer.input},
          {"recipe", layer.recipe.name},
          {"weight_error", layer.weight_error},
          {"weight_step", layer.weight_step},
          {"product_error", layer.product_error},
          {"token_gradient_error", layer.token_gradient_error},
          {"feature_gradient_error", layer.feature_gradient_error},
          {"product_errors", std::move(errors)},
          {"gains", std::move(gains)},
          {"proposed", choice}};
}

/// Text that may stand in a script element.
std::string in_script(const Json& document) {
  std::string text = document.dump(-1, ' ', /*ensure_ascii=*/true);
  for (std::size_t at = text.find("</"); at != std::string::npos; at = text.find("</", at + 3))
    text.replace(at, 2, "<\\/");
  return text;
}

}  // namespace

Json to_json(const Inspection& inspection, const Proposal& proposal) {
  Json document = Json::object();
  for (const InputFigures& input : inspection.inputs) document["inputs"].push_back(to_json(input));
  for (std::size_t i = 0; i < inspection.layers.size(); ++i)
    document["layers"].push_back(to_json(inspection.layers[i], proposal.choices[i]));
  document["proposal"] = proposal.recipe_file;
  return document;
}

std::string markdown(const Inspection& inspection, const Proposal& proposal) {
  TextTable table;
  table.header = {"layer",     "outliers, %", "in columns, %", "columns (tokens)", "largest", "step of X",
                  "X error, %", "W error, %",  "dY error, % (dX)", "(dW)", "Y error, %", "int8: Y error, %",
                  "approach1 gains", "approach2 gains", "rowwise gains", "proposed"};
  for (std::size_t i = 0; i < inspection.layers.size(); ++i) {
    const LayerFigures& layer = inspection.layers[i];
    const InputFigures& input = inspection.inputs[layer.input];
    table.rows.push_back({program::short_layer_name(layer.name), percent(input.element_share()), percent(input.column_share()),
                          columns_of(input), number(input.largest), number(input.step), percent_or_dash(input.error),
                          percent_or_dash(layer.weight_error), percent_or_dash(layer.token_gradient_error),
                          percent_or_dash(layer.feature_gradient_error), percent_or_dash(layer.product_error),
                          percent_or_dash(error_under(layer, untreated)), number(gain(layer, "approach1")),
                          number(gain(layer, "approach2")), number(gain(layer, "rowwise")), proposal.choices[i]});
  }
  return table.markdown() +
         "\nErrors are |rounded - exact| / |exact|, Y's that of the whole product X W^T; a gain is how many times "
         "smaller Y's error is than with outliers untreated (int8).\n";
}

std::string html(const Json& document) {
  constexpr std::string_view mark = "/*DATA*/";
  std::string text(page);
  return text.replace(text.find(mark), mark.size(), in_script(document));
}

}  // namespace fixtune::inspect
