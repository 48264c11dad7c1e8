#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "fixtune/data/glue.h"
#include "fixtune/data/text_table.h"
#include "fixtune/io/json.h"

namespace fixtune::program {

/// Which task and files a program works on: --task, --data, --eval-data and the columns of a `text` file.
struct TaskData {
  std::string task = "text";
  std::string data;
  std::string eval_data;
  std::string text_column = "text";
  std::string pair_column;
  std::string label_column = "label";
  std::vector<std::string> labels;
  bool regression = false;
  Index sample = 0;  ///< training examples to draw, see sample_rows(); 0: all

  void add_options(CLI::App& app, bool task_required);
  Task parsed_task() const { return parse_task(task); }
  bool is_regression_task() const { return is_regression(parsed_task()) || regression; }
  /// Column names and label map for a `text` file; `label_names` in class order, or empty to take them from the data.
  TextColumns columns(const std::vector<std::string>& label_names, bool has_label) const;
};

/// Training and evaluation data; a `text` task without --eval-data holds out a tenth by the seed.
struct TrainingData {
  Dataset train;
  Dataset evaluation;
};
TrainingData read_training_data(const TaskData& options, std::uint64_t seed, Index limit, Index eval_limit,
                                const LogCallback& log);

/// The data to evaluate or predict; a folder of a GLUE task means its dev file.
Dataset read_evaluation_data(const TaskData& options, const std::vector<std::string>& label_names, bool has_label,
                             const LogCallback& log);

/// What finetune recorded beside the Hugging Face files, in fixtune.json; an empty object where there is none.
Json read_run_record(const std::filesystem::path& folder);

}  // namespace fixtune::program
