#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "fixtune/models/bert.h"
#include "fixtune/train/classification.h"
#include "program/task_data.h"

namespace fixtune::program {

/// The options of programs that measure a model on real text without training it: --model, --task, --data, --limit ...
struct MeasuredTextOptions {
  TaskData task;
  std::string model;
  Index limit = 16;
  Index max_length = 128;
  std::uint64_t seed = 0;
  int threads = 0;

  void add_options(CLI::App& app, bool task_required = true);
};

/// The first labelled examples of the data as one packed batch.
struct MeasuredText {
  std::string model;
  std::uint64_t seed = 0;
  Index labels = 0;  ///< outputs of the head
  bool regression = false;
  PackedBatch batch;

  Index examples() const { return static_cast<Index>(batch.labels.size()); }
  /// The model under those recipes. A head of other size than the labels is drawn from the seed: the same every time.
  Bert open(const RecipeMap& recipes) const;
  /// What the figures were measured on.
  Json description(const TaskData& task) const;
};

/// Throws Error naming the file where the data holds no example.
MeasuredText read_measured_text(const MeasuredTextOptions& options);

}  // namespace fixtune::program
