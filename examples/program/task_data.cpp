#include "program/task_data.h"

#include "fixtune/data/batch.h"
#include "program/sample.h"

namespace fixtune::program {
namespace {

/// Shuffles for a held-out tenth use an epoch no training run reaches.
constexpr std::uint64_t hold_out_epoch = ~std::uint64_t{0};

void keep_first(Dataset& data, Index limit) {
  if (limit > 0 && limit < static_cast<Index>(data.examples.size()))
    data.examples.resize(static_cast<std::size_t>(limit));
}

TrainingData hold_out_tenth(const Dataset& all, std::uint64_t seed) {
  const auto count = static_cast<Index>(all.examples.size());
  const Index held = std::max<Index>(1, count / 10);
  if (count < 2) fail("{}: {} examples are too few to hold out a tenth; give --eval-data", all.path, count);
  std::vector<bool> is_held(static_cast<std::size_t>(count));
  const std::vector<Index> order = shuffled_order(count, seed, hold_out_epoch);
  for (Index i = 0; i < held; ++i) is_held[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])] = true;
  TrainingData split{{all.path, all.label_names, {}}, {all.path, all.label_names, {}}};
  for (std::size_t i = 0; i < is_held.size(); ++i)
    (is_held[i] ? split.evaluation : split.train).examples.push_back(all.examples[i]);
  return split;
}

}  // namespace

void TaskData::add_options(CLI::App& app, bool task_required) {
  auto* task_option = app.add_option("--task", task, "cola, sst2, mrpc, stsb, rte, qnli, mnli, text (any table), squad or squad2");
  if (task_required) task_option->required();
  app.add_option("--data", data, "folder of the GLUE task, or file (.tsv, .csv, .jsonl; squad, squad2: .json)")->required();
  app.add_option("--text-column", text_column, "column of the sentence (text task)")->capture_default_str();
  app.add_option("--pair-column", pair_column, "column of the second sentence (text task)");
  app.add_option("--label-column", label_column, "column of the label (text task)")->capture_default_str();
  app.add_option("--labels", labels, "label words in class order (text task; default: as found, sorted)")
      ->delimiter(',');
  app.add_flag("--regression", regression, "labels are scores (text task)");
}

TextColumns TaskData::columns(const std::vector<std::string>& label_names, bool has_label) const {
  TextColumns columns;
  columns.text = text_column;
  columns.pair = pair_column;
  columns.label = label_column;
  columns.label_names = label_names;
  columns.regression = regression;
  columns.has_label = has_label;
  return columns;
}

TrainingData read_training_data(const TaskData& options, std::uint64_t seed, Index limit, Index eval_limit,
                                const LogCallback& log) {
  const Task task = options.parsed_task();
  const std::filesystem::path data(options.data);
  TrainingData result;
  if (task != Task::Text) {
    const bool folder = std::filesystem::is_directory(data);
    if (!folder && options.eval_data.empty()) fail("--data {}: give a folder, or a file and --eval-data", data.string());
    result.train = read_glue(task, folder ? train_file(task, data) : data, log);
    result.evaluation =
        read_glue(task, options.eval_data.empty() ? dev_file(task, data) : std::filesystem::path(options.eval_data), log);
  } else if (options.eval_data.empty()) {
    result = hold_out_tenth(read_text(data, options.columns(options.labels, true)), seed);
  } else {
    result.train = read_text(data, options.columns(options.labels, true));
    result.evaluation = read_text(options.eval_data, options.columns(result.train.label_names, true));
  }
  keep_sample(result.train.examples, options.sample);
  keep_first(result.train, limit);
  keep_first(result.evaluation, eval_limit);
  if (result.train.examples.empty()) fail("{}: no examples", result.train.path);
  return result;
}

Dataset read_evaluation_data(const TaskData& options, const std::vector<std::string>& label_names, bool has_label,
                             const LogCallback& log) {
  const Task task = options.parsed_task();
  const std::filesystem::path data(options.data);
  if (task == Task::Text) return read_text(data, options.columns(label_names, has_label));
  return read_glue(task, std::filesystem::is_directory(data) ? dev_file(task, data) : data, log);
}

Json read_run_record(const std::filesystem::path& folder) {
  const auto file = folder / "fixtune.json";
  return std::filesystem::exists(file) ? read_json(file) : Json::object();
}

}  // namespace fixtune::program
