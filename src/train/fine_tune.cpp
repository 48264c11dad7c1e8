#include "fixtune/train/fine_tune.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <optional>
#include <span>
#include <utility>

#include "fixtune/core/parallel.h"
#include "fixtune/data/batch.h"
#include "fixtune/optim/adamw.h"
#include "fixtune/optim/clip.h"
#include "fixtune/optim/schedule.h"
#include "fixtune/train/checkpoint.h"
#include "train/recent_speed.h"

namespace fixtune {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

AdamWOptions adam_options(const TrainingOptions& options) {
  AdamWOptions adam;
  adam.beta1 = options.beta1;
  adam.beta2 = options.beta2;
  adam.epsilon = options.epsilon;
  adam.weight_decay = options.weight_decay;
  return adam;
}

/// What the options say and the caller adds.
RunDescription joined(RunDescription run, const RunDescription& further) {
  run.identity.update(further.identity);
  run.circumstances.update(further.circumstances);
  return run;
}

/// The mean loss of a batch and the number of examples it is over.
struct BatchLoss {
  double mean = 0.0;
  Index examples = 0;
};

/// Some of the task's examples, by their number.
using Examples = std::span<const Index>;

/// Thrown where the caller asks to stop, between two steps or two batches of an evaluation.
struct StopRequested {};

/// One run: what a step reads and writes, and when it is saved.
class Run {
 public:
  Run(TrainingTask& task, const TrainingOptions& options, const TrainingCallbacks& callbacks,
      const CheckpointOptions& checkpoints)
      : task_(task),
        options_(options),
        callbacks_(callbacks),
        checkpoint_options_(checkpoints),
        parameters_(task.model().parameters()),
        optimizer_(parameters_, adam_options(options)),
        steps_per_epoch_((task.size() + options.batch_size - 1) / options.batch_size),
        total_steps_(steps_per_epoch_ * options.epochs),
        warmup_(warmup_steps(options.warmup, total_steps_)) {
    if (!checkpoints.folder.empty()) {
      checkpoints_.emplace(checkpoints.folder, joined(describe(options), checkpoints.run), checkpoints.keep,
                           callbacks.log);
      start_from_newest();
    }
    // Codes drawn before must not enter the run.
    task_.model().weights_changed();
  }

  bool finished() const { return result().epochs.size() == static_cast<std::size_t>(options_.epochs); }

  /// Trains until the end of the epoch that has begun.
  void train_epoch() {
    const Index epoch = static_cast<Index>(result().epochs.size()) + 1;
    const std::vector<Index> order = shuffled_order(task_.size(), options_.seed, static_cast<std::uint64_t>(epoch));
    while (state_.step < epoch * steps_per_epoch_) {
      const Index begin = (state_.step - (epoch - 1) * steps_per_epoch_) * options_.batch_size;
      const Index count = std::min(options_.batch_size, task_.size() - begin);
      const auto start = Clock::now();
      const Index tokens_before = result().tokens;
      const float rate = learning_rate();
      const BatchLoss loss = train_step(
          micro_batches(Examples(order).subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(count))));
      const double seconds = seconds_since(start);
      ++state_.step;
      state_.result.seconds += seconds;
      state_.epoch_seconds += seconds;
      speed_.add(seconds, result().tokens - tokens_before);
      state_.epoch_loss += loss.mean * static_cast<double>(loss.examples);
      state_.epoch_examples += loss.examples;
      report(epoch, loss.mean, rate);
      if (checkpoint_options_.every > 0 && state_.step % checkpoint_options_.every == 0) save();
      stop_if_requested();
    }
  }

  void evaluate_epoch() try {
    const EvaluationProgress progress = [this](Index done, Index total) {
      if (callbacks_.evaluation) callbacks_.evaluation(done, total);
      stop_if_requested();
    };
    Metrics metrics = task_.evaluate(options_.batch_size, progress);
    state_.result.epochs.push_back(
        {state_.epoch_loss / static_cast<double>(std::max<Index>(1, state_.epoch_examples)), state_.epoch_seconds,
         std::move(metrics)});
    state_.epoch_loss = 0.0;
    state_.epoch_examples = 0;
    state_.epoch_seconds = 0.0;
    if (callbacks_.epoch) callbacks_.epoch(static_cast<Index>(result().epochs.size()), result().epochs.back());
  } catch (const Error& error) {
    fail("evaluation after step {}: {}", state_.step, error.what());
  }

  /// Saves where the run stands, unless a checkpoint already says it.
  void save() {
    if (!checkpoints_ || (saved_step_ == state_.step && saved_finished_ == finished())) return;
    checkpoints_->save(optimizer_, state_, finished());
    saved_step_ = state_.step;
    saved_finished_ = finished();
  }

  const TrainingResult& result() const { return state_.result; }

 private:
  void start_from_newest() {
    const auto newest = checkpoints_->newest();
    if (!newest) return;
    if (!checkpoint_options_.resume)
      fail("{} is there from an earlier run: resume that, or remove its checkpoints", newest->string());
    state_ = checkpoints_->load(*newest, optimizer_);
    const auto epochs = static_cast<Index>(result().epochs.size());
    if (epochs > options_.epochs || state_.step < epochs * steps_per_epoch_ ||
        state_.step > std::min(total_steps_, (epochs + 1) * steps_per_epoch_))
      fail("{}: step {} does not go with {} epochs of {} steps", newest->string(), state_.step, epochs,
           steps_per_epoch_);
    saved_step_ = state_.step;
    saved_finished_ = finished();
    if (callbacks_.log)
      callbacks_.log(fmt::format("going on from {}, step {} of {}", newest->string(), state_.step, total_steps_));
  }

  void stop_if_requested() const {
    if (callbacks_.stop_requested && callbacks_.stop_requested()) throw StopRequested{};
  }

  std::vector<Examples> micro_batches(Examples batch) const {
    const auto size = static_cast<std::size_t>((options_.batch_size + options_.accumulation - 1) / options_.accumulation);
    std::vector<Examples> parts;
    for (std::size_t done = 0; done < batch.size(); done += size)
      parts.push_back(batch.subspan(done, std::min(size, batch.size() - done)));
    return parts;
  }

  /// The mean loss over the batch's examples with a label; without any there is no update.
  BatchLoss train_step(const std::vector<Examples>& micro_batches) try {
    std::vector<Index> examples;
    for (const Examples batch : micro_batches) examples.push_back(task_.labelled(batch));
    BatchLoss batch_loss{0.0, std::accumulate(examples.begin(), examples.end(), Index{0})};
    if (batch_loss.examples == 0) {
      if (callbacks_.log) callbacks_.log(fmt::format("step {}: no example has a label; no update", state_.step + 1));
      return batch_loss;
    }
    for (std::size_t i = 0; i < micro_batches.size(); ++i) {
      const double share = static_cast<double>(examples[i]) / static_cast<double>(batch_loss.examples);
      batch_loss.mean += share * accumulate_gradients(micro_batches[i], i, static_cast<float>(share));
    }
    const GradientClip clip = measure_gradient_clip(parameters_, options_.clip);
    optimizer_.step(learning_rate(), clip.factor);
    optimizer_.zero_grad();
    task_.model().weights_changed();
    return batch_loss;
  } catch (const Error& error) {
    fail("step {}: {}", state_.step + 1, error.what());
  }

  double accumulate_gradients(Examples examples, std::uint64_t micro_batch, float share) {
    Tape tape;
    Pass pass{tape,
              {options_.seed, static_cast<std::uint64_t>(state_.step), micro_batch},
              true,
              [this](std::string_view layer, const OutlierStatistics& s) { state_.result.outliers.add(layer, s); }};
    const auto [loss, tokens] = task_.loss(pass, examples);
    const double value = loss.value()(0, 0);
    if (!std::isfinite(value)) fail("the loss is {}", value);
    TrainingResult& result = state_.result;
    result.saved_activation_bytes = std::max(result.saved_activation_bytes, tape.saved_bytes());
    tape.backward(loss, share);
    result.tokens += tokens;
    return value;
  }

  float learning_rate() const { return linear_schedule(state_.step, warmup_, total_steps_, options_.learning_rate); }

  void report(Index epoch, double loss, float rate) const {
    if (!callbacks_.step) return;
    const double left = speed_.seconds_per_step() * static_cast<double>(total_steps_ - state_.step);
    callbacks_.step({epoch, state_.step, total_steps_, loss, rate, speed_.tokens_per_second(), left});
  }

  TrainingTask& task_;
  const TrainingOptions& options_;
  const TrainingCallbacks& callbacks_;
  const CheckpointOptions& checkpoint_options_;
  std::vector<Parameter> parameters_;
  AdamW optimizer_;
  Index steps_per_epoch_;
  Index total_steps_;
  Index warmup_;
  TrainingState state_;
  detail::RecentSpeed speed_;
  std::optional<CheckpointFolder> checkpoints_;
  Index saved_step_ = -1;
  bool saved_finished_ = false;
};

}  // namespace

RunDescription describe(const TrainingOptions& o) {
  RunDescription run;
  run.identity = {{"epochs", o.epochs},
                  {"batch-size", o.batch_size},
                  {"accumulation", o.accumulation},
                  {"lr", o.learning_rate},
                  {"warmup", o.warmup},
                  {"weight-decay", o.weight_decay},
                  {"clip", o.clip},
                  {"adam-beta1", o.beta1},
                  {"adam-beta2", o.beta2},
                  {"adam-epsilon", o.epsilon},
                  {"seed", o.seed}};
  run.circumstances = {{"threads", thread_count()}};
  return run;
}

TrainingResult fine_tune(TrainingTask& task, const TrainingOptions& options, const TrainingCallbacks& callbacks,
                         const CheckpointOptions& checkpoints) {
  if (task.size() == 0) fail("there are no training examples");
  if (options.batch_size < 1 || options.accumulation < 1) fail("batch size and accumulation must be at least 1");
  if (callbacks.log && options.learning_rate == 0.0F) callbacks.log("the learning rate is 0: no weight will change");
  Run run(task, options, callbacks, checkpoints);
  bool stopped = false;
  try {
    while (!run.finished()) {
      run.train_epoch();
      run.evaluate_epoch();
    }
  } catch (const StopRequested&) {
    stopped = true;
    task.model().weights_changed();
  }
  run.save();
  TrainingResult result = run.result();
  result.stopped = stopped;
  return result;
}

}  // namespace fixtune
