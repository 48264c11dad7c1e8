#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "fixtune/models/bert_encoder.h"
#include "program/task_data.h"

namespace fixtune::program {

/// The options of programs that measure a model on real text without training it: --model, --task, --data, --limit ...
struct MeasuredTextOptions {
  TaskData task;
  std::string model;
  Index sample = 0;
  Index limit = 16;
  Index max_length = 128;
  std::uint64_t seed = 0;
  int threads = 0;

  void add_options(CLI::App& app, bool task_required = true);
};

/// A model with the head of the text's task.
struct MeasuredModel {
  std::unique_ptr<BertEncoder> encoder;
  std::function<Variable(Pass&)> loss;  ///< of the head, mean over the text, which must outlive it
};

/// Labelled examples of the data, or the first windows of questions, as one packed batch.
struct MeasuredText {
  std::string model;
  std::uint64_t seed = 0;
  Index labels = 0;  ///< outputs of the head
  bool regression = false;
  PackedBatch batch;
  /// Where the answers of questions are; empty for sentences.
  ///@{
  std::vector<std::int32_t> answer_first;
  std::vector<std::int32_t> answer_last;
  ///@}

  Index examples() const { return batch.sentences(); }
  /// The model under those recipes. A head that the folder lacks is drawn from the seed: the same every time.
  MeasuredModel open(const RecipeMap& recipes) const;
  /// What the figures were measured on.
  Json description(const TaskData& task) const;
};

/// Throws Error naming the file where the data holds no example.
MeasuredText read_measured_text(const MeasuredTextOptions& options);

}  // namespace fixtune::program
