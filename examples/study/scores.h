#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "study/plan.h"

namespace fixtune::study {

/// How a task's numbers are shown: as in the paper, in percent.
struct TaskScoring {
  std::string title;
  std::vector<std::string> metrics;  ///< of finetune's figures
  std::string score = "accuracy";    ///< what they are, in words
  double to_percent = 100.0;
  bool averaged = false;  ///< shown as the metrics' mean alone
  bool glue = true;       ///< counted in the mean of the GLUE tasks
  std::string unit = "examples";
};

/// STS-B: mean of Pearson and Spearman; MRPC: accuracy and F1; CoLA: Matthews; SQuAD: exact match and F1; accuracy
/// elsewhere. Throws Error for an unknown task.
const TaskScoring& scoring_of(const std::string& task);

/// A mean, how far single values or the mean itself scatter, and of how many.
struct Estimate {
  double mean = 0.0;
  std::optional<double> spread;  ///< none where one value does not tell
  std::size_t count = 0;
};

/// What the runs of one model reached. A run's score is the mean of its task's metrics, in percent.
class Scores {
 public:
  /// Reads what is there of a model's runs. Throws Error as read_result() does.
  static Scores read(const StudyPlan& plan, const std::string& model, const std::filesystem::path& results);

  /// Keeps one run's metrics (in percent); none where one of them is undefined.
  void add(const std::string& task, const std::string& recipe, std::uint64_t seed,
           const std::vector<std::optional<double>>& metrics);

  /// Mean and standard deviation over the seeds of metric `m`; none where there is no run.
  std::optional<Estimate> metric(const std::string& task, const std::string& recipe, std::size_t m) const;
  /// The same of the score.
  std::optional<Estimate> score(const std::string& task, const std::string& recipe) const;
  /// FP32's score less this recipe's, paired by seed: mean and standard error over the seeds both have.
  std::optional<Estimate> loss(const std::string& task, const std::string& recipe) const;
  /// The mean of the tasks' mean losses and its standard error, sqrt(sum e^2) / T, where at least one task has several
  /// seeds. A task of one seed has for e the standard deviation pooled over those that have several: one pair says
  /// nothing of its own scatter, which is not to be taken for none. `count` is the number of tasks.
  std::optional<Estimate> mean_loss(const std::vector<std::string>& tasks, const std::string& recipe) const;

  std::size_t runs() const;
  /// Runs with an undefined metric (a constant prediction's correlation), left out of everything above.
  const std::vector<std::string>& undefined() const { return undefined_; }

 private:
  using Metrics = std::vector<double>;
  const std::map<std::uint64_t, Metrics>& seeds(const std::string& task, const std::string& recipe) const;
  std::vector<double> losses(const std::string& task, const std::string& recipe) const;

  std::map<std::pair<std::string, std::string>, std::map<std::uint64_t, Metrics>> metrics_;
  std::vector<std::string> undefined_;
};

}  // namespace fixtune::study
