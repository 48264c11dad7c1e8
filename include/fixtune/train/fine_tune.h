#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "fixtune/core/log.h"
#include "fixtune/train/classification.h"
#include "fixtune/train/outlier_log.h"

namespace fixtune {

/// How a run trains; the defaults are the paper's (section 5.1) and, where it is silent, those of the design.
struct TrainingOptions {
  Task task = Task::Text;
  bool regression = false;
  Index epochs = 5;
  Index batch_size = 32;
  Index accumulation = 1;  ///< micro-batches a step, which together hold batch_size examples
  float learning_rate = 2e-5F;
  double warmup = 0.0;  ///< steps; below 1 a share of all steps
  double weight_decay = 0.0;
  float clip = 1.0F;  ///< largest global gradient norm; 0: none
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  std::uint64_t seed = 0;
};

/// Where a run stands, after each step.
struct TrainingProgress {
  Index epoch = 0;  ///< from 1
  Index step = 0;   ///< from 1, over all epochs
  Index steps = 0;
  double loss = 0.0;             ///< of this step
  double tokens_per_second = 0.0;
  double seconds_left = 0.0;
};

/// One epoch's outcome.
struct EpochResult {
  double loss = 0.0;     ///< mean over the epoch's examples
  double seconds = 0.0;  ///< training only
  Metrics metrics;
};

struct TrainingResult {
  std::vector<EpochResult> epochs;
  double seconds = 0.0;  ///< training only, evaluation not counted
  double tokens_per_second = 0.0;
  std::size_t saved_activation_bytes = 0;  ///< the most that one step's tape held
  OutlierLog outliers;
};

struct TrainingCallbacks {
  std::function<void(const TrainingProgress&)> step;
  EvaluationProgress evaluation;
  std::function<void(Index epoch, const EpochResult&)> epoch;
  LogCallback log;
};

/// Trains and evaluates after every epoch. Same data, options, seed and threads: the same bits.
/// Throws Error naming step and tensor where a loss or gradient is not finite, before the update.
TrainingResult fine_tune(Bert& bert, const EncodedDataset& train, const EncodedDataset& evaluation,
                         const TrainingOptions& options, const TrainingCallbacks& callbacks = {});

}  // namespace fixtune
