#include "ablate/figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "fixtune/report/log_row_plot.h"
#include "fixtune/report/table.h"
#include "fixtune/train/deviation.h"
#include "fixtune/train/recipe_file.h"

namespace fixtune::ablate {
namespace {

double relative_error(const std::vector<NamedGradient>& actual, const std::vector<NamedGradient>& expected) {
  Deviation all;
  for (std::size_t i = 0; i < expected.size(); ++i) all.add(actual[i].value, expected[i].value);
  return all.relative_error();
}

void take_worst_matrix(const EncoderRun& run, const EncoderRun& fp32, RecipeFigures& figures) {
  for (std::size_t i = 0; i < fp32.gradients.size(); ++i) {
    const NamedGradient& expected = fp32.gradients[i];
    if (expected.value.rows() == 1) continue;
    Deviation one;
    one.add(run.gradients[i].value, expected.value);
    if (one.cosine() >= figures.worst_cosine) continue;
    figures.worst_cosine = one.cosine();
    figures.worst_matrix = expected.name;
  }
}

void add_gradients(std::vector<NamedGradient>& sum, const std::vector<NamedGradient>& more) {
  if (sum.empty())
    sum = more;
  else
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i].value.map() += more[i].value.map();
}

/// Gradients of some hundred times FP32's do occur; four digits of each.
std::string number(double value) { return fmt::format("{:.{}f}", value, value < 0.1 ? 4 : value < 10.0 ? 3 : 1); }

std::string short_name(std::string matrix) {
  for (const std::string_view part : {"encoder.", ".weight", ".self"})
    if (const auto at = matrix.find(part); at != std::string::npos) matrix.erase(at, part.size());
  return matrix;
}

std::vector<std::string> groups_of(const std::vector<RecipeFigures>& figures) {
  std::vector<std::string> groups;
  for (const RecipeFigures& f : figures)
    if (std::find(groups.begin(), groups.end(), f.group) == groups.end()) groups.push_back(f.group);
  return groups;
}

TextTable table_of(const std::vector<RecipeFigures>& figures, const std::string& group) {
  TextTable table;
  table.header = {group.empty() ? "recipe" : group, "hidden states", "gradients", "gradients, mean of draws",
                  "worst cosine", "worst matrix"};
  for (const RecipeFigures& f : figures)
    if (f.group == group)
      table.rows.push_back({f.name, number(f.hidden_error), number(f.gradient_error),
                            f.draws > 1 ? number(f.mean_gradient_error) : "", fmt::format("{:.3f}", f.worst_cosine),
                            short_name(f.worst_matrix)});
  return table;
}

}  // namespace

RecipeFigures measure(const program::MeasuredText& text, const NamedRecipes& recipes, Index draws,
                      const EncoderRun& fp32) {
  RecipeFigures figures;
  figures.name = recipes.name;
  figures.group = recipes.group;
  figures.recipe = fixtune::to_json(recipes.recipes);
  figures.draws = is_stochastic(recipes.recipes) ? draws : 1;
  std::vector<NamedGradient> sum;
  for (Index draw = 0; draw < figures.draws; ++draw) {
    const EncoderRun run = run_encoder(text, recipes.recipes, static_cast<std::uint64_t>(draw));
    Deviation hidden;
    hidden.add(run.hidden, fp32.hidden);
    figures.hidden_error += std::pow(hidden.relative_error(), 2);
    figures.gradient_error += std::pow(relative_error(run.gradients, fp32.gradients), 2);
    figures.loss += run.loss;
    take_worst_matrix(run, fp32, figures);
    add_gradients(sum, run.gradients);
  }
  const auto count = static_cast<double>(figures.draws);
  for (NamedGradient& g : sum) g.value.map() /= static_cast<float>(count);
  figures.mean_gradient_error = relative_error(sum, fp32.gradients);
  figures.hidden_error = std::sqrt(figures.hidden_error / count);
  figures.gradient_error = std::sqrt(figures.gradient_error / count);
  figures.loss /= count;
  return figures;
}

Json to_json(const RecipeFigures& f) {
  return {{"name", f.name},
          {"group", f.group},
          {"draws", f.draws},
          {"hidden_error", f.hidden_error},
          {"gradient_error", f.gradient_error},
          {"mean_gradient_error", f.mean_gradient_error},
          {"worst_cosine", f.worst_cosine},
          {"worst_matrix", f.worst_matrix},
          {"loss", f.loss},
          {"recipe", f.recipe}};
}

std::string markdown(const std::vector<RecipeFigures>& figures) {
  std::string text;
  for (const std::string& group : groups_of(figures)) text += (text.empty() ? "" : "\n") + table_of(figures, group).markdown();
  return text;
}

std::string plot(const std::vector<RecipeFigures>& figures, const std::string& title) {
  LogRowPlot plot{title, "relative error", {"hidden states", "gradients"}, {}};
  for (const std::string& group : groups_of(figures)) {
    if (!group.empty()) plot.rows.push_back({group, {}});
    for (const RecipeFigures& f : figures)
      if (f.group == group) plot.rows.push_back({f.name, {f.hidden_error, f.gradient_error}});
  }
  return plot.svg();
}

}  // namespace fixtune::ablate
