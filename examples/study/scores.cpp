#include "study/scores.h"

#include <algorithm>
#include <cmath>

#include "fixtune/core/error.h"
#include "fixtune/report/statistics.h"
#include "study/results.h"

namespace fixtune::study {
namespace {

TaskScoring squad(const std::string& title) {
  return {title, {"exact_match", "f1"}, "exact match / F1", /*to_percent=*/1.0, false, /*glue=*/false, "questions"};
}

const std::map<std::string, TaskScoring>& scorings() {
  static const std::map<std::string, TaskScoring> all = [] {
    std::map<std::string, TaskScoring> tasks;
    for (const auto& [task, title] : {std::pair("rte", "RTE"), std::pair("qnli", "QNLI"), std::pair("mnli", "MNLI"),
                                      std::pair("sst2", "SST-2")})
      tasks[task] = {title, {"accuracy"}};
    tasks["mrpc"] = {"MRPC", {"accuracy", "f1"}, "accuracy / F1"};
    tasks["cola"] = {"CoLA", {"matthews_correlation"}, "Matthews correlation"};
    tasks["stsb"] = {"STS-B", {"pearson", "spearman"}, "mean of Pearson's and Spearman's correlation", 100.0,
                     /*averaged=*/true};
    tasks["text"] = {"text", {"accuracy"}, "accuracy", 100.0, false, /*glue=*/false};
    tasks["squad"] = squad("SQuAD v1.1");
    tasks["squad2"] = squad("SQuAD v2.0");
    return tasks;
  }();
  return all;
}

double score_of(const std::vector<double>& metrics) { return *mean(metrics); }

std::optional<Estimate> estimate(const std::vector<double>& values,
                                 std::optional<double> (*spread)(std::span<const double>)) {
  if (values.empty()) return std::nullopt;
  return Estimate{*mean(values), spread(values), values.size()};
}

std::vector<std::optional<double>> metrics_in_percent(const TaskScoring& scoring, const Json& result,
                                                      const std::string& name) {
  const Json& metrics = result.at("figures").at("epochs").back().at("metrics");
  std::vector<std::optional<double>> values;
  for (const std::string& metric : scoring.metrics) {
    if (!metrics.contains(metric)) fail("{}: there is no metric {}", name, metric);
    const Json& value = metrics.at(metric);
    values.push_back(value.is_number() ? std::optional(scoring.to_percent * value.get<double>()) : std::nullopt);
  }
  return values;
}

}  // namespace

const TaskScoring& scoring_of(const std::string& task) {
  const auto found = scorings().find(task);
  if (found == scorings().end()) fail("it is not known how to score the task \"{}\"", task);
  return found->second;
}

Scores Scores::read(const StudyPlan& plan, const std::string& model, const std::filesystem::path& results) {
  Scores scores;
  for (const StudyRun& run : plan.runs) {
    if (run.model != model) continue;
    const Json result = read_result(plan, run, results);
    if (!result.is_null())
      scores.add(run.task, run.recipe, run.seed,
                 metrics_in_percent(scoring_of(run.task), result, result_file(results, run).string()));
  }
  return scores;
}

void Scores::add(const std::string& task, const std::string& recipe, std::uint64_t seed,
                 const std::vector<std::optional<double>>& metrics) {
  Metrics defined;
  for (const std::optional<double>& metric : metrics)
    if (metric) defined.push_back(*metric);
  if (defined.size() == metrics.size())
    metrics_[{task, recipe}][seed] = std::move(defined);
  else
    undefined_.push_back(fmt::format("{} {} seed {}", scoring_of(task).title, recipe, seed));
}

const std::map<std::uint64_t, Scores::Metrics>& Scores::seeds(const std::string& task,
                                                              const std::string& recipe) const {
  static const std::map<std::uint64_t, Metrics> none;
  const auto found = metrics_.find({task, recipe});
  return found == metrics_.end() ? none : found->second;
}

std::optional<Estimate> Scores::metric(const std::string& task, const std::string& recipe, std::size_t m) const {
  std::vector<double> values;
  for (const auto& [seed, metrics] : seeds(task, recipe)) values.push_back(metrics.at(m));
  return estimate(values, standard_deviation);
}

std::optional<Estimate> Scores::score(const std::string& task, const std::string& recipe) const {
  std::vector<double> values;
  for (const auto& [seed, metrics] : seeds(task, recipe)) values.push_back(score_of(metrics));
  return estimate(values, standard_deviation);
}

std::vector<double> Scores::losses(const std::string& task, const std::string& recipe) const {
  std::vector<double> values;
  const auto& exact = seeds(task, "fp32");
  for (const auto& [seed, metrics] : seeds(task, recipe))
    if (const auto pair = exact.find(seed); pair != exact.end())
      values.push_back(score_of(pair->second) - score_of(metrics));
  return values;
}

std::optional<Estimate> Scores::loss(const std::string& task, const std::string& recipe) const {
  return estimate(losses(task, recipe), standard_error);
}

std::optional<Estimate> Scores::mean_loss(const std::vector<std::string>& tasks, const std::string& recipe) const {
  std::vector<double> means;
  double squared_errors = 0.0;  // of the tasks with several seeds
  double squares = 0.0;         // their losses' distances from their tasks' means
  std::size_t freedom = 0;
  std::size_t alone = 0;
  for (const std::string& task : tasks) {
    const std::vector<double> values = losses(task, recipe);
    if (values.empty()) continue;
    means.push_back(*mean(values));
    const auto n = static_cast<double>(values.size());
    if (const std::optional<double> error = standard_error(values)) {
      squared_errors += *error * *error;
      squares += *error * *error * n * (n - 1.0);
      freedom += values.size() - 1;
    } else {
      ++alone;
    }
  }
  if (means.empty()) return std::nullopt;
  Estimate all{*mean(means), std::nullopt, means.size()};
  if (freedom > 0) {
    const double pooled = squares / static_cast<double>(freedom);
    all.spread = std::sqrt(squared_errors + static_cast<double>(alone) * pooled) / static_cast<double>(means.size());
  }
  return all;
}

std::size_t Scores::runs() const {
  std::size_t count = undefined_.size();
  for (const auto& [place, by_seed] : metrics_) count += by_seed.size();
  return count;
}

}  // namespace fixtune::study
