#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "fixtune/models/bert_folder.h"
#include "fixtune/train/classification.h"
#include "program/task_data.h"

namespace fixtune::program {

/// The options of programs that run a fine-tuned folder: --model, --task, --data, --recipe, --batch-size ...
struct SavedModelOptions {
  TaskData task;
  std::string model, recipe;
  Index max_length = 0;
  Index batch_size = 32;
  int threads = 0;

  void add_options(CLI::App& app);
};

/// A fine-tuned folder, opened, and the data to run it on.
struct SavedModel {
  Bert bert;
  HeadDescription head;
  Dataset data;
  EncodedDataset encoded;
};

/// Opens both. What was not given is taken from the folder's record: recipe, task, columns, length.
SavedModel open_saved_model(SavedModelOptions& options, const CLI::App& app, bool has_label);

}  // namespace fixtune::program
