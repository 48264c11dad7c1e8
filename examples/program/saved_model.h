#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "fixtune/models/bert_folder.h"
#include "fixtune/train/classification.h"
#include "fixtune/train/question_answering.h"
#include "program/question_options.h"
#include "program/task_data.h"

namespace fixtune::program {

/// The options of programs that run a fine-tuned folder: --model, --task, --data, --recipe, --batch-size ...
struct SavedModelOptions {
  TaskData task;
  QuestionOptions questions;
  std::string model, recipe;
  Index max_length = 0;
  Index batch_size = 32;
  int threads = 0;
  RecipeMap recipes;  ///< set by take_from_record

  void add_options(CLI::App& app);
};

/// Fills what was not given from the folder's record: recipe, task, columns, lengths. Sets the number of threads.
void take_from_record(SavedModelOptions& options, const CLI::App& app);

/// A fine-tuned folder, opened, and the data to run it on.
struct SavedModel {
  Bert bert;
  HeadDescription head;
  Dataset data;
  EncodedDataset encoded;
};

SavedModel open_saved_model(const SavedModelOptions& options, bool has_label);

/// A folder with a span head, opened, and the questions to run it on.
struct SavedSpanModel {
  BertQuestionAnswering bert;
  SquadVersion version;
  SquadDataset data;
  QuestionWindows windows;
};

SavedSpanModel open_saved_span_model(const SavedModelOptions& options, bool has_answers);

}  // namespace fixtune::program
