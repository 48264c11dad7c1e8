#include "fixtune/train/fine_tune.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "fixtune/optim/adamw.h"
#include "fixtune/optim/clip.h"
#include "fixtune/optim/schedule.h"

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

/// The state of one run: what a step reads and writes.
class Run {
 public:
  Run(Bert& bert, const EncodedDataset& train, const TrainingOptions& options, const TrainingCallbacks& callbacks)
      : bert_(bert),
        train_(train),
        options_(options),
        callbacks_(callbacks),
        parameters_(bert.parameters()),
        optimizer_(parameters_, adam_options(options)),
        steps_per_epoch_((train.size() + options.batch_size - 1) / options.batch_size),
        total_steps_(steps_per_epoch_ * options.epochs) {
    warmup_ = options.warmup < 1.0 ? static_cast<Index>(std::ceil(options.warmup * static_cast<double>(total_steps_)))
                                   : static_cast<Index>(options.warmup);
  }

  EpochResult train_epoch(Index epoch) {
    const std::vector<Index> order =
        shuffled_order(train_.size(), options_.seed, static_cast<std::uint64_t>(epoch));
    const double before = result.seconds;
    double loss_sum = 0.0;
    for (Index begin = 0; begin < train_.size(); begin += options_.batch_size) {
      const Index count = std::min(options_.batch_size, train_.size() - begin);
      const auto start = Clock::now();
      const double loss = train_step(order, begin, count);
      result.seconds += seconds_since(start);
      loss_sum += loss * static_cast<double>(count);
      report(epoch, loss);
    }
    return {loss_sum / static_cast<double>(train_.size()), result.seconds - before, {}};
  }

  Index tokens() const { return tokens_; }
  TrainingResult result;

 private:
  double train_step(const std::vector<Index>& order, Index begin, Index count) {
    const Index micro_size = (options_.batch_size + options_.accumulation - 1) / options_.accumulation;
    double loss = 0.0;
    Index micro_batch = 0;
    for (Index done = 0; done < count; done += micro_size, ++micro_batch) {
      const Index micro_count = std::min(micro_size, count - done);
      const PackedBatch batch = train_.batch(order, begin + done, micro_count);
      const double share = static_cast<double>(micro_count) / static_cast<double>(count);
      loss += share * accumulate_gradients(batch, micro_batch, static_cast<float>(share));
    }
    GradientClip clip;
    try {
      clip = measure_gradient_clip(parameters_, options_.clip);
    } catch (const Error& error) {
      fail("step {}: {}", step_ + 1, error.what());
    }
    optimizer_.step(linear_schedule(step_, warmup_, total_steps_, options_.learning_rate), clip.factor);
    optimizer_.zero_grad();
    bert_.weights_changed();
    ++step_;
    return loss;
  }

  double accumulate_gradients(const PackedBatch& batch, Index micro_batch, float share) try {
    Tape tape;
    Pass pass{tape,
              {options_.seed, static_cast<std::uint64_t>(step_), static_cast<std::uint64_t>(micro_batch)},
              true,
              [this](std::string_view layer, const OutlierStatistics& s) { result.outliers.add(layer, s); }};
    const Variable loss = task_loss(tape, bert_(pass, batch), batch.labels, options_.regression);
    const double value = loss.value()(0, 0);
    if (!std::isfinite(value)) fail("the loss is {}", value);
    result.saved_activation_bytes = std::max(result.saved_activation_bytes, tape.saved_bytes());
    tape.backward(loss, share);
    tokens_ += batch.tokens();
    return value;
  } catch (const Error& error) {
    fail("step {}: {}", step_ + 1, error.what());
  }

  void report(Index epoch, double loss) const {
    if (!callbacks_.step) return;
    const double left = result.seconds / static_cast<double>(step_) * static_cast<double>(total_steps_ - step_);
    callbacks_.step({epoch, step_, total_steps_, loss, static_cast<double>(tokens_) / result.seconds, left});
  }

  Bert& bert_;
  const EncodedDataset& train_;
  const TrainingOptions& options_;
  const TrainingCallbacks& callbacks_;
  std::vector<Parameter> parameters_;
  AdamW optimizer_;
  Index steps_per_epoch_;
  Index total_steps_;
  Index warmup_ = 0;
  Index step_ = 0;
  Index tokens_ = 0;
};

}  // namespace

TrainingResult fine_tune(Bert& bert, const EncodedDataset& train, const EncodedDataset& evaluation,
                         const TrainingOptions& options, const TrainingCallbacks& callbacks) {
  if (train.size() == 0) fail("there are no training examples");
  if (options.batch_size < 1 || options.accumulation < 1) fail("batch size and accumulation must be at least 1");
  Run run(bert, train, options, callbacks);
  for (Index epoch = 1; epoch <= options.epochs; ++epoch) {
    EpochResult result = run.train_epoch(epoch);
    result.metrics = task_metrics(options.task, options.regression,
                                  predict(bert, evaluation, options.batch_size, callbacks.evaluation),
                                  evaluation.labels);
    if (callbacks.epoch) callbacks.epoch(epoch, result);
    run.result.epochs.push_back(std::move(result));
  }
  if (run.result.seconds > 0)
    run.result.tokens_per_second = static_cast<double>(run.tokens()) / run.result.seconds;
  return std::move(run.result);
}

}  // namespace fixtune
