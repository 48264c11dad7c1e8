#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "fixtune/train/metrics.h"
#include "fixtune/train/outlier_log.h"

namespace fixtune {

/// One epoch's outcome.
struct EpochResult {
  double loss = 0.0;     ///< mean over the epoch's examples that have a label
  double seconds = 0.0;  ///< training only
  Metrics metrics;       ///< of the evaluation after it
};

/// What a run has found out so far.
struct TrainingResult {
  std::vector<EpochResult> epochs;  ///< trained and evaluated
  double seconds = 0.0;  ///< training only, evaluation not counted
  Index tokens = 0;      ///< trained on
  std::size_t saved_activation_bytes = 0;  ///< the most that one step's tape held
  OutlierLog outliers;   ///< of the training's forwards
  bool stopped = false;  ///< before its end, because that was asked for

  /// Mean over all training steps; 0 before the first.
  double tokens_per_second() const { return seconds > 0.0 ? static_cast<double>(tokens) / seconds : 0.0; }
};

/// Where a run stands between two steps: with the weights and the optimiser's moments, all it needs to go on. Its
/// random numbers, the order of its examples and its learning rate are functions of the seed and the step.
struct TrainingState {
  Index step = 0;              ///< batches done, over all epochs
  double epoch_loss = 0.0;     ///< summed over the examples of the epoch that has begun
  Index epoch_examples = 0;    ///< that is over: those with a label
  double epoch_seconds = 0.0;  ///< of training in that epoch
  TrainingResult result;       ///< so far; `stopped` is not part of it
};

/// The state as JSON, every number exact.
Json to_json(const TrainingState& state);

/// The state that to_json wrote. Throws Error naming `where` for any other document.
TrainingState parse_training_state(const Json& document, std::string_view where);

}  // namespace fixtune
