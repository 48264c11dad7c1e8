#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "fixtune/core/log.h"
#include "fixtune/train/run_description.h"
#include "fixtune/train/training_state.h"
#include "fixtune/train/training_task.h"

namespace fixtune {

/// How a run trains; the defaults are the paper's (section 5.1) and, where it is silent, those of the design.
struct TrainingOptions {
  Index epochs = 5;              ///< passes over the training examples
  Index batch_size = 32;         ///< examples a step; an epoch's last batch may have fewer
  Index accumulation = 1;        ///< micro-batches a step, which together hold batch_size examples
  float learning_rate = 2e-5F;   ///< peak of linear_schedule()
  double warmup = 0.0;           ///< steps; below 1 a share of all steps
  double weight_decay = 0.0;     ///< as in AdamWOptions
  float clip = 1.0F;             ///< largest global gradient norm; 0: none
  double beta1 = 0.9;            ///< as in AdamWOptions
  double beta2 = 0.999;          ///< as in AdamWOptions
  double epsilon = 1e-8;         ///< as in AdamWOptions
  std::uint64_t seed = 0;        ///< of the order of examples, dropout and stochastic rounding
};

/// The options under the names that the programs give them.
RunDescription describe(const TrainingOptions& options);

/// Where a run stands, after each step.
struct TrainingProgress {
  Index epoch = 0;                 ///< from 1
  Index step = 0;                  ///< from 1, over all epochs
  Index steps = 0;                 ///< that the whole run has
  double loss = 0.0;               ///< of this step
  float learning_rate = 0.0F;      ///< of this step
  double tokens_per_second = 0.0;  ///< of the last steps, the newer the weightier
  double seconds_left = 0.0;       ///< of training, at the speed of the last steps; evaluations come on top
};

/// Told how a run goes; any may be empty. Called on the thread that called fine_tune().
struct TrainingCallbacks {
  std::function<void(const TrainingProgress&)> step;  ///< after each step, before it is saved
  EvaluationProgress evaluation;  ///< after each batch of an evaluation
  std::function<void(Index epoch, const EpochResult&)> epoch;  ///< after each epoch's evaluation; from 1
  LogCallback log;  ///< hears what was passed over, skipped or gone on from
  /// Asked after every step and between the batches of an evaluation; where it says true the run is saved and ends.
  std::function<bool()> stop_requested;
};

/// Where and how often a run is saved, so that one that was stopped or killed can go on.
struct CheckpointOptions {
  std::filesystem::path folder;  ///< empty: nothing is saved
  Index every = 0;               ///< steps; 0: only where the run is stopped and at its end
  Index keep = 2;                ///< newest checkpoints that stay, at least 1
  bool resume = false;           ///< go on from the newest whole checkpoint, or start anew where there is none
  RunDescription run;            ///< what the options of the training do not say: task, model, data, recipe
};

/// Trains and evaluates after every epoch. Same data, options, seed and threads: the same bits, however often the run
/// was stopped or killed and resumed on the way; the figures are those of the whole run.
/// Throws Error naming step and tensor where an activation, loss or gradient is not finite, before the
/// update, or the update makes a weight so, before any checkpoint; where a checkpoint
/// belongs to another run, or is there and `resume` is not set, or where there are no examples, before the first step.
TrainingResult fine_tune(TrainingTask& task, const TrainingOptions& options, const TrainingCallbacks& callbacks = {},
                         const CheckpointOptions& checkpoints = {});

}  // namespace fixtune
