#include "study/results.h"

#include <algorithm>
#include <fstream>
#include <thread>

#include "fixtune/core/error.h"
#include "fixtune/io/file.h"
#include "fixtune/train/recipe_file.h"

namespace fixtune::study {
namespace {

std::string cpu_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name")) return line.substr(std::min(line.size(), line.find(':') + 2));
  return "unknown";
}

bool has_metrics(const Json& figures) {
  const Json epochs = figures.is_object() ? figures.value("epochs", Json()) : Json();
  return epochs.is_array() && !epochs.empty() && epochs.back().is_object() && epochs.back().contains("metrics") &&
         epochs.back().at("metrics").is_object();
}

/// A preset's numbers may have changed since the run. Results that do not say what theirs were are taken as they are.
void check_numerics(const StudyPlan& plan, const StudyRun& run, const Json& figures, const std::string& file) {
  if (!figures.contains("numerics")) return;
  const RecipeMap recipes = plan.recipes.contains(run.recipe) ? parse_recipes(plan.recipes.at(run.recipe), run.recipe)
                                                              : read_recipes(run.recipe);
  if (!same_identity(figures.at("numerics"), to_json(recipes)))
    fail("{}: recipe {} meant other numbers when this ran ({}); move it away to run it again, or give its numbers a name among "
         "the study's recipes", file, run.recipe, figures.at("numerics").dump());
}

}  // namespace

std::filesystem::path result_file(const std::filesystem::path& folder, const StudyRun& run) {
  return folder / (run.name() + ".json");
}

Json read_result(const StudyPlan& plan, const StudyRun& run, const std::filesystem::path& folder) {
  const auto file = result_file(folder, run);
  if (!std::filesystem::exists(file)) return {};
  Json result = read_json(file);
  if (!result.is_object() || !result.contains("run") || !has_metrics(result.value("figures", Json())))
    fail("{}: not a run's results", file.string());
  if (!same_identity(result.at("run"), plan.identity(run)))
    fail("{}: of the run {}, but the study asks for {}; move it away to run that", file.string(),
         result.at("run").dump(), plan.identity(run).dump());
  check_numerics(plan, run, result.at("figures"), file.string());
  return result;
}

void keep_result(const StudyPlan& plan, const StudyRun& run, const std::filesystem::path& figures_file,
                 const std::filesystem::path& folder) {
  Json figures = read_json(figures_file);
  if (!has_metrics(figures)) fail("{}: no epoch's metrics", figures_file.string());
  // A recipe of the plan's own was read from a file among the work, which is nobody else's.
  if (figures.contains("recipe")) figures["recipe"] = run.recipe;
  const Json machine{{"cpu", cpu_name()}, {"logical_cpus", std::thread::hardware_concurrency()}};
  const Json result{{"run", plan.identity(run)}, {"machine", machine}, {"figures", std::move(figures)}};
  write_file_atomically(result_file(folder, run), result.dump(2) + "\n");
}

}  // namespace fixtune::study
