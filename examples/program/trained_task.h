#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "fixtune/io/json.h"
#include "fixtune/quant/recipe_map.h"
#include "fixtune/train/training_task.h"
#include "program/question_options.h"
#include "program/task_data.h"

namespace fixtune::program {

/// The model that a run starts from.
struct StartingModel {
  std::string folder;
  RecipeMap recipes;
  Index max_length = 0;
  std::uint64_t seed = 0;
};

/// What finetune trains: the data of --task, and once opened the model with its head.
class TrainedTask {
 public:
  virtual ~TrainedTask() = default;

  /// What tells the task and its data from others; files by their content, so that they may move.
  virtual Json identity() const = 0;
  /// Sentences, pairs or questions.
  virtual Index training_examples() const = 0;
  virtual Index evaluation_examples() const = 0;
  /// The task's fields of the record that a saved folder keeps.
  virtual Json record() const = 0;

  /// Opens the model and encodes the data.
  virtual void open(const StartingModel& start) = 0;
  virtual TrainingTask& training() = 0;
  /// Writes the model, tokenizer files from `origin`, and what else belongs to the task.
  virtual void save(const std::filesystem::path& origin, const std::filesystem::path& folder, Index batch_size) = 0;
};

/// Which examples a run uses.
struct Limits {
  Index train = 0;       ///< the first ones; 0: all
  Index evaluation = 0;  ///< the same
};

/// Reads the data of a GLUE task or a table of sentences.
std::unique_ptr<TrainedTask> read_sentence_task(const TaskData& options, std::uint64_t seed, Limits limits);

/// Reads the data of squad or squad2; the limits count questions.
std::unique_ptr<TrainedTask> read_question_task(const TaskData& options, const QuestionOptions& questions,
                                                Limits limits);

}  // namespace fixtune::program
