#include "study/rendering.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "fixtune/io/file.h"
#include "fixtune/report/page_blocks.h"
#include "study/results.h"
#include "study/tables.h"

namespace fixtune::study {
namespace {

constexpr const char* score_legend =
    "\nMean ± standard deviation over the seeds (their number), in percent, after the last epoch. \"-\": not run.\n";

/// What each task's score is, where it is not the accuracy.
std::string metrics_legend(const std::vector<StudyTask>& tasks) {
  std::vector<std::string> said;
  bool accuracy = false;
  for (const StudyTask& task : tasks) {
    const TaskScoring& scoring = scoring_of(task.name);
    if (scoring.score == "accuracy")
      accuracy = true;
    else
      said.push_back(fmt::format("{}: {}", scoring.title, scoring.score));
  }
  if (accuracy) said.emplace_back(said.empty() ? "Accuracy" : "accuracy elsewhere");
  return fmt::format("{}.\n\n", fmt::join(said, "; "));
}

constexpr fmt::string_view loss_legend =
    "\nFP32's score less the recipe's, paired by seed: mean ± standard error (number of seeds), in points. A\n"
    "score is the mean of the task's metrics. `within {0:.1f}`: whether the mean loss less one standard error is\n"
    "at most {0:.1f}. In the error of the mean of tasks, a task of one seed counts with the standard deviation\n"
    "pooled over those that have several.\n\n";

std::vector<std::string> models_of(const StudyPlan& plan) {
  std::vector<std::string> models;
  for (const StudyRun& run : plan.runs)
    if (std::find(models.begin(), models.end(), run.model) == models.end()) models.push_back(run.model);
  return models;
}

std::ptrdiff_t runs_of(const StudyPlan& plan, const std::string& model) {
  return std::count_if(plan.runs.begin(), plan.runs.end(), [&](const StudyRun& run) { return run.model == model; });
}

std::string option_list(const Json& options) {
  std::vector<std::string> words;
  for (const auto& [name, value] : options.items()) words.push_back(fmt::format("{} {}", name, value.dump()));
  return fmt::format("{}", fmt::join(words, ", "));
}

/// A line a task: its examples as the results record them, its options and its note.
std::string task_notes(const StudyPlan& plan, const Comparison& comparison, const std::string& model,
                       const RenderingOptions& options) {
  std::string notes;
  for (const StudyTask& task : comparison.tasks) {
    notes += fmt::format("- {}: ", scoring_of(task.name).title);
    for (const StudyRun& run : plan.runs) {
      if (run.model != model || run.task != task.name) continue;
      const Json result = read_result(plan, run, options.results);
      if (result.is_null()) continue;
      notes += fmt::format("{} training and {} evaluation {}; ",
                           result.at("figures").value("training_examples", Json()).dump(),
                           result.at("figures").value("evaluation_examples", Json()).dump(),
                           scoring_of(task.name).unit);
      break;
    }
    notes += option_list(task.options);
    if (!task.note.empty()) notes += "; " + task.note;
    notes += ".\n";
  }
  return notes;
}

std::string machines(const StudyPlan& plan, const std::string& model, const RenderingOptions& options) {
  std::set<std::string> lines;
  for (const StudyRun& run : plan.runs) {
    if (run.model != model) continue;
    const Json result = read_result(plan, run, options.results);
    if (result.is_null()) continue;
    const Json& figures = result.at("figures");
    lines.insert(fmt::format("{}, {} threads, INT8 kernel {}",
                             result.value("machine", Json::object()).value("cpu", "unknown"),
                             figures.value("threads", Json()).dump(), figures.value("kernel", "unknown")));
  }
  return lines.empty() ? "" : fmt::format("Run on: {}.\n", fmt::join(lines, "; "));
}

/// Writes a plot beside the page and gives the line that shows it.
std::string plot_line(const PointPlot& plot, const std::filesystem::path& page, const std::string& name) {
  const std::filesystem::path folder = std::filesystem::path(page).replace_extension();
  std::filesystem::create_directories(folder);
  write_file_atomically(folder / name, plot.svg());
  return fmt::format("![{}]({}/{})\n\n", plot.title, folder.filename().string(), name);
}

bool has_value(const PointPlot& plot) {
  for (const PlotSeries& series : plot.series)
    for (const PlotPoint& point : series.points)
      if (point.value) return true;
  return false;
}

std::string model_section(const StudyPlan& plan, const std::string& model, const Published& published,
                          const RenderingOptions& options) {
  const Comparison comparison = compare_recipes(plan, model, options.results, published);
  std::string text =
      fmt::format("### {}: {} of {} runs done\n\n", model, comparison.scores.runs(), runs_of(plan, model));
  text += metrics_table(comparison).markdown();
  text += score_legend + metrics_legend(comparison.tasks);
  const PointPlot scores = score_plot(comparison, model);
  if (has_value(scores))
    text += plot_line(scores, options.page, fmt::format("{}-{}-scores.svg", plan.name, model));
  text += "Loss against FP32:\n\n" + loss_table(comparison).markdown();
  text += fmt::format(loss_legend, largest_loss);
  const PointPlot losses = loss_plot(comparison, model);
  if (has_value(losses))
    text += plot_line(losses, options.page, fmt::format("{}-{}-losses.svg", plan.name, model));
  if (!comparison.scores.undefined().empty())
    text += fmt::format("Left out, as a constant prediction has no correlation: {}.\n\n",
                        fmt::join(comparison.scores.undefined(), ", "));
  text += "Examples and options:\n\n" + task_notes(plan, comparison, model, options) + "\n";
  return text + machines(plan, model, options);
}

}  // namespace

void render(const StudyPlan& plan, const RenderingOptions& options) {
  const Published published = options.published.empty() ? Published() : read_published(options.published);
  const std::string page = read_file(options.page);
  // The block must be there before plots are written.
  replace_block(page, plan.name, "", options.page.string());
  std::string text = "\n";
  for (const std::string& model : models_of(plan)) text += model_section(plan, model, published, options) + "\n";
  if (!published.source.empty()) text += fmt::format("The paper's numbers: {}.\n", published.source);
  write_file_atomically(options.page, replace_block(page, plan.name, text, options.page.string()));
}

}  // namespace fixtune::study
