#include "study/tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "fixtune/quant/recipe.h"
#include "fixtune/report/statistics.h"

namespace fixtune::study {
namespace {

const char* const absent = "-";

/// One decimal; what rounds to zero has no sign.
std::string decimal(double value) { return fmt::format("{:.1f}", std::abs(value) < 0.05 ? 0.0 : value); }

std::string estimate_text(const Estimate& e) {
  return e.spread ? fmt::format("{} ± {}", decimal(e.mean), decimal(*e.spread)) : decimal(e.mean);
}

std::string with_count(const std::optional<Estimate>& e) {
  return e ? fmt::format("{} ({})", estimate_text(*e), e->count) : absent;
}

std::string title(const StudyTask& task) {
  const std::string& name = scoring_of(task.name).title;
  if (!task.options.contains("sample")) return name;
  return fmt::format("{} (sample of {})", name, task.options.at("sample").dump());
}

std::string metrics_cell(const Scores& scores, const std::string& task, const std::string& recipe) {
  const TaskScoring& scoring = scoring_of(task);
  if (scoring.averaged) return with_count(scores.score(task, recipe));
  std::string text;
  for (std::size_t m = 0; m < scoring.metrics.size(); ++m) {
    const std::optional<Estimate> one = scores.metric(task, recipe, m);
    if (!one) return absent;
    text += (m > 0 ? " / " : "") + (m + 1 == scoring.metrics.size() ? with_count(one) : estimate_text(*one));
  }
  return text;
}

std::string published_cell(const Published& published, const std::string& task, const std::string& recipe) {
  const auto& metrics = published.rows.at(recipe).metrics;
  if (!metrics.contains(task)) return absent;
  std::string text;
  for (const double value : metrics.at(task)) text += (text.empty() ? "" : " / ") + decimal(value);
  return text;
}

std::string verdict(const std::optional<Estimate>& loss) {
  if (!loss) return absent;
  return loss->mean - loss->spread.value_or(0.0) <= largest_loss ? "yes" : "no";
}

std::vector<std::string> glue_tasks(const Comparison& c) {
  std::vector<std::string> names;
  for (const StudyTask& task : c.tasks)
    if (scoring_of(task.name).glue) names.push_back(task.name);
  return names;
}

bool has_mean(const Comparison& c) { return glue_tasks(c).size() > 1; }

std::vector<std::string> header(const Comparison& c) {
  std::vector<std::string> titles{"recipe"};
  for (const StudyTask& task : c.tasks) titles.push_back(title(task));
  return titles;
}

std::string published_name(const Comparison& c, const std::string& recipe) {
  return "paper: " + c.published.rows.at(recipe).name;
}

std::vector<std::string> loss_row(const Comparison& c, const std::string& recipe) {
  std::vector<std::string> row{recipe};
  for (const StudyTask& task : c.tasks) row.push_back(with_count(c.scores.loss(task.name, recipe)));
  if (has_mean(c)) row.push_back(with_count(c.scores.mean_loss(glue_tasks(c), recipe)));
  return row;
}

std::vector<std::string> published_loss_row(const Comparison& c, const std::string& recipe) {
  std::vector<std::string> row{published_name(c, recipe)};
  for (const StudyTask& task : c.tasks) {
    const std::optional<double> loss = c.published.loss(task.name, recipe);
    row.push_back(loss ? decimal(*loss) : absent);
  }
  if (!has_mean(c)) return row;
  std::vector<double> losses;
  for (const std::string& task : glue_tasks(c))
    if (const auto loss = c.published.loss(task, recipe)) losses.push_back(*loss);
  row.push_back(losses.empty() ? absent : fmt::format("{} ({})", decimal(*mean(losses)), losses.size()));
  return row;
}

std::vector<std::string> verdict_row(const Comparison& c, const std::string& recipe) {
  std::vector<std::string> row{fmt::format("{} within {:.1f}", recipe, largest_loss)};
  for (const StudyTask& task : c.tasks) row.push_back(verdict(c.scores.loss(task.name, recipe)));
  if (has_mean(c)) row.push_back(verdict(c.scores.mean_loss(glue_tasks(c), recipe)));
  return row;
}

/// The recipes of a model's runs, presets first and in their order.
std::vector<std::string> recipes_of(const StudyPlan& plan, const std::string& model) {
  std::vector<std::string> recipes = preset_names();
  for (const StudyRun& run : plan.runs)
    if (std::find(recipes.begin(), recipes.end(), run.recipe) == recipes.end()) recipes.push_back(run.recipe);
  std::erase_if(recipes, [&](const std::string& recipe) {
    return std::none_of(plan.runs.begin(), plan.runs.end(),
                        [&](const StudyRun& run) { return run.model == model && run.recipe == recipe; });
  });
  return recipes;
}

std::vector<StudyTask> tasks_of(const StudyPlan& plan, const std::string& model) {
  std::vector<StudyTask> tasks = plan.tasks;
  std::erase_if(tasks, [&](const StudyTask& task) {
    return std::none_of(plan.runs.begin(), plan.runs.end(),
                        [&](const StudyRun& run) { return run.model == model && run.task == task.name; });
  });
  return tasks;
}

PlotPoint point(const std::optional<Estimate>& estimate, const std::optional<double>& published) {
  PlotPoint point;
  if (estimate) point = {estimate->mean, estimate->spread, {}};
  point.reference = published;
  return point;
}

PointPlot empty_plot(const Comparison& c, std::string title, std::string label) {
  PointPlot plot;
  plot.title = std::move(title);
  plot.value_label = std::move(label);
  if (!c.published.rows.empty()) plot.reference_label = "the paper";
  for (const StudyTask& task : c.tasks) plot.groups.push_back(scoring_of(task.name).title);
  return plot;
}

}  // namespace

Comparison compare_recipes(const StudyPlan& plan, const std::string& model, const std::filesystem::path& results,
                           const Published& published) {
  return {tasks_of(plan, model), recipes_of(plan, model), Scores::read(plan, model, results), published};
}

TextTable metrics_table(const Comparison& c) {
  TextTable table{header(c), {}};
  for (const std::string& recipe : c.recipes) {
    std::vector<std::string> row{recipe};
    for (const StudyTask& task : c.tasks) row.push_back(metrics_cell(c.scores, task.name, recipe));
    table.rows.push_back(std::move(row));
    if (!c.published.rows.contains(recipe)) continue;
    std::vector<std::string> below{published_name(c, recipe)};
    for (const StudyTask& task : c.tasks) below.push_back(published_cell(c.published, task.name, recipe));
    table.rows.push_back(std::move(below));
  }
  return table;
}

TextTable loss_table(const Comparison& c) {
  TextTable table{header(c), {}};
  if (has_mean(c)) table.header.emplace_back("mean of GLUE tasks (their number)");
  for (const std::string& recipe : c.recipes) {
    if (recipe == "fp32") continue;
    table.rows.push_back(loss_row(c, recipe));
    if (c.published.rows.contains(recipe)) table.rows.push_back(published_loss_row(c, recipe));
    if (recipe == "rowwise") table.rows.push_back(verdict_row(c, recipe));
  }
  return table;
}

PointPlot score_plot(const Comparison& c, const std::string& model) {
  PointPlot plot =
      empty_plot(c, fmt::format("{}: score by task and recipe", model), "percent, mean and standard deviation");
  for (std::size_t r = 0; r < c.recipes.size(); ++r) {
    const std::string& recipe = c.recipes[r];
    PlotSeries series{recipe, r, {}};
    for (const StudyTask& task : c.tasks)
      series.points.push_back(point(c.scores.score(task.name, recipe), c.published.score(task.name, recipe)));
    plot.series.push_back(std::move(series));
  }
  return plot;
}

PointPlot loss_plot(const Comparison& c, const std::string& model) {
  PointPlot plot = empty_plot(c, fmt::format("{}: loss against FP32", model), "points, mean and standard error");
  plot.threshold = largest_loss;
  plot.most = 10.0;  // that broken recipes do not press the others together
  for (std::size_t r = 0; r < c.recipes.size(); ++r) {
    const std::string& recipe = c.recipes[r];
    if (recipe == "fp32") continue;
    PlotSeries series{recipe, r, {}};
    for (const StudyTask& task : c.tasks)
      series.points.push_back(point(c.scores.loss(task.name, recipe), c.published.loss(task.name, recipe)));
    plot.series.push_back(std::move(series));
  }
  return plot;
}

}  // namespace fixtune::study
