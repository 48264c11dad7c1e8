#pragma once

#include "fixtune/train/classification_task.h"
#include "fixtune/train/fine_tune.h"
#include "temporary_folder.h"

// A run small enough for a test: the tiny BERT on made-up sentences.

namespace fixtune::testing_run {

/// Sentences of made-up words whose class is the presence of word 7.
inline EncodedDataset made_up_data(Index examples) {
  EncodedDataset data;
  const RandomStream random({5, 0, 0}, 1);
  std::uint64_t counter = 0;
  for (Index i = 0; i < examples; ++i) {
    Encoding e;
    e.ids.push_back(2);
    const auto words = static_cast<Index>(3 + random.bits(counter++) % 8);
    for (Index w = 0; w < words; ++w) e.ids.push_back(static_cast<std::int32_t>(8 + random.bits(counter++) % 30));
    if (i % 2 == 1) e.ids[1 + random.bits(counter++) % static_cast<std::size_t>(words)] = 7;
    e.ids.push_back(3);
    e.segments.assign(e.ids.size(), 0);
    data.encodings.push_back(std::move(e));
    data.labels.push_back(static_cast<float>(i % 2));
  }
  return data;
}

inline Bert tiny_bert(const char* recipe) {
  BertOptions options;
  options.recipes = {preset(recipe), {}};
  return {std::filesystem::path(FIXTUNE_FIXTURES) / "tiny_bert", options};
}

/// The same without dropout.
inline Bert without_dropout(const char* recipe) {
  const TemporaryFolder folder;
  const std::filesystem::path from = std::filesystem::path(FIXTUNE_FIXTURES) / "tiny_bert";
  Json config = read_json(from / "config.json");
  config["hidden_dropout_prob"] = config["attention_probs_dropout_prob"] = 0.0;
  folder.write("config.json", config.dump());
  std::filesystem::copy_file(from / "model.safetensors", folder.path() / "model.safetensors");
  BertOptions options;
  options.recipes = {preset(recipe), {}};
  return {folder.path(), options};
}

inline TrainingOptions quick_options() {
  TrainingOptions options;
  options.epochs = 2;
  options.batch_size = 8;
  options.learning_rate = 1e-2F;
  return options;
}

/// Classifies; evaluation by accuracy and F1.
inline TrainingResult fine_tune(Bert& bert, const EncodedDataset& train, const EncodedDataset& evaluation,
                                const TrainingOptions& options, const TrainingCallbacks& callbacks = {},
                                const CheckpointOptions& checkpoints = {}) {
  ClassificationTask task(bert, train, evaluation, Task::Text, /*regression=*/false);
  return fixtune::fine_tune(task, options, callbacks, checkpoints);
}

}  // namespace fixtune::testing_run
