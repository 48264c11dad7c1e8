#pragma once

#include <functional>
#include <span>

#include "fixtune/models/bert_encoder.h"
#include "fixtune/train/metrics.h"

namespace fixtune {

/// Called after each batch of an evaluation with the number of examples (windows of questions) done.
using EvaluationProgress = std::function<void(Index done, Index total)>;

/// The loss of some examples, `[1, 1]`, and how many tokens they have.
struct TaskLoss {
  Variable loss;     ///< mean over the examples that have a label
  Index tokens = 0;  ///< of all examples, special ones included
};

/// What a run trains: a model with a head, the examples it learns from, and how it is measured.
class TrainingTask {
 public:
  virtual ~TrainingTask() = default;

  virtual BertEncoder& model() = 0;  ///< Lives as long as the task.
  /// Training examples.
  virtual Index size() const = 0;
  /// How many of the examples have a label: those that the loss is over.
  virtual Index labelled(std::span<const Index> examples) const = 0;
  /// Mean loss over the examples with a label.
  virtual TaskLoss loss(Pass& pass, std::span<const Index> examples) = 0;
  /// Metrics on the evaluation examples; leaves the model as training needs it, unless `progress` throws.
  virtual Metrics evaluate(Index batch_size, const EvaluationProgress& progress) = 0;
};

}  // namespace fixtune
