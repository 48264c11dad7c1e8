#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "fixtune/models/bert.h"
#include "fixtune/optim/adamw.h"
#include "fixtune/train/outlier_log.h"
#include "step/child_process.h"

namespace fixtune::bench {

/// Seconds of one step's parts.
struct StepTimes {
  double forward = 0.0;  ///< the loss included, and quantising the weights
  double backward = 0.0;
  double optimiser = 0.0;  ///< clipping included
  double total() const { return forward + backward + optimiser; }
};

/// Whatever fine-tunes a model step by step: one of our recipes, or a rival program.
class Trainer {
 public:
  virtual ~Trainer() = default;
  virtual StepTimes step(const PackedBatch& batch) = 0;
  /// The most memory its process has held so far.
  virtual std::size_t peak_bytes() const = 0;
  /// The most its tape has held for a backward pass; 0 if unknown.
  virtual std::size_t saved_bytes() const = 0;
};

/// A BERT classifier of two classes trained as fine_tune does it: dropout, clipping, AdamW, the outlier log.
class RecipeTrainer : public Trainer {
 public:
  RecipeTrainer(const std::filesystem::path& model, const std::string& recipe);
  StepTimes step(const PackedBatch& batch) override;
  std::size_t peak_bytes() const override;
  std::size_t saved_bytes() const override { return saved_bytes_; }
  Bert& bert() { return bert_; }

 private:
  void forward_and_backward(const PackedBatch& batch, StepTimes& times);

  Bert bert_;
  std::vector<Parameter> parameters_;
  AdamW optimizer_;
  OutlierLog outliers_;
  std::uint64_t steps_ = 0;
  std::size_t saved_bytes_ = 0;
};

/// A program that makes one step per line it is sent, on random tokens of sentences of the lengths in that line, and
/// answers `{"forward": s, "backward": s, "optimiser": s, "peak_bytes": n}`, as tools/pytorch_step.py does.
class RivalTrainer : public Trainer {
 public:
  /// `command` is given to the shell.
  explicit RivalTrainer(const std::string& command) : process_({"/bin/sh", "-c", "exec " + command}) {}
  StepTimes step(const PackedBatch& batch) override;
  std::size_t peak_bytes() const override { return peak_bytes_; }
  std::size_t saved_bytes() const override { return 0; }

 private:
  ChildProcess process_;
  std::size_t peak_bytes_ = 0;
};

}  // namespace fixtune::bench
