#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixtune/io/file.h"
#include "temporary_folder.h"
#include "tiny_run.h"

namespace fixtune {
namespace {

using ::testing::HasSubstr;
using testing_run::fine_tune;
using testing_run::made_up_data;
using testing_run::quick_options;
using testing_run::tiny_bert;

/// What a run ends with: its result and, as bytes, its weights and moments.
struct Ended {
  TrainingResult result;
  std::string weights, moments;
};

class ResumeTest : public testing::Test {
 protected:
  /// Runs in `folder` until the `stop_at`-th question whether to stop, or to the end where that is 0.
  TrainingResult run(const std::string& folder, const char* recipe, const TrainingOptions& options, int stop_at) {
    Bert bert = tiny_bert(recipe);
    CheckpointOptions checkpoints;
    checkpoints.folder = around_.path() / folder;
    checkpoints.every = 2;
    checkpoints.resume = true;
    TrainingCallbacks callbacks;
    callbacks.stop_requested = [&, asked = 0]() mutable { return ++asked == stop_at; };
    callbacks.step = [&](const TrainingProgress&) { ++steps_; };
    callbacks.log = [&](std::string_view text) { notices_ += text; };
    return fine_tune(bert, made_up_data(12), made_up_data(9), options, callbacks, checkpoints);
  }
  Ended end(const std::string& folder, TrainingResult result) const {
    const auto finished = around_.path() / folder / "finished";
    return {std::move(result), read_file(finished / "model.safetensors"), read_file(finished / "optimizer.safetensors")};
  }

  TemporaryFolder around_;
  int steps_ = 0;
  std::string notices_;
};

TrainingOptions small_options() {
  TrainingOptions options = quick_options();
  options.batch_size = 4;
  options.warmup = 0.3;
  options.accumulation = 2;
  return options;
}

void expect_equal(const Ended& a, const Ended& b) {
  EXPECT_TRUE(a.weights == b.weights);
  EXPECT_TRUE(a.moments == b.moments);
  EXPECT_EQ(a.result.tokens, b.result.tokens);
  EXPECT_EQ(a.result.outliers.to_json(), b.result.outliers.to_json());
  EXPECT_EQ(a.result.saved_activation_bytes, b.result.saved_activation_bytes);
  ASSERT_EQ(a.result.epochs.size(), b.result.epochs.size());
  for (std::size_t i = 0; i < a.result.epochs.size(); ++i) {
    EXPECT_EQ(a.result.epochs[i].loss, b.result.epochs[i].loss);
    EXPECT_EQ(a.result.epochs[i].metrics, b.result.epochs[i].metrics);
  }
}

TEST_F(ResumeTest, StoppedAtAnyPointEndsWithTheSameBytes) {
  // 3 steps an epoch, each followed by a question, and 3 batches of evaluation: 12 questions.
  const Ended straight = end("straight", run("straight", "rowwise", small_options(), 0));
  EXPECT_EQ(straight.result.epochs.size(), 2U);
  for (int stop_at = 1; stop_at <= 12; ++stop_at) {
    const std::string folder = "stopped-" + std::to_string(stop_at);
    const TrainingResult stopped = run(folder, "rowwise", small_options(), stop_at);
    EXPECT_TRUE(stopped.stopped) << stop_at;
    expect_equal(end(folder, run(folder, "rowwise", small_options(), 0)), straight);
  }
}

TEST_F(ResumeTest, StoppedAgainAndAgainInEveryRecipe) {
  for (const std::string& recipe : preset_names()) {
    const Ended straight = end(recipe, run(recipe, recipe.c_str(), small_options(), 0));
    const std::string folder = recipe + "-stopped";
    for (int stops = 0; stops < 5; ++stops) EXPECT_TRUE(run(folder, recipe.c_str(), small_options(), 1).stopped);
    expect_equal(end(folder, run(folder, recipe.c_str(), small_options(), 0)), straight);
  }
}

TEST_F(ResumeTest, AFinishedRunIsNotDoneAgain) {
  const Ended first = end("run", run("run", "rowwise", small_options(), 0));
  EXPECT_EQ(steps_, 6);
  expect_equal(end("run", run("run", "rowwise", small_options(), 0)), first);
  EXPECT_EQ(steps_, 6);
  EXPECT_THAT(notices_, HasSubstr("finished, step 6 of 6"));
}

TEST_F(ResumeTest, AnotherRunIsRefusedByOption) {
  run("run", "rowwise", small_options(), 4);
  const auto refusal = [&](auto&& change) {
    TrainingOptions options = small_options();
    change(options);
    return error_of([&] { run("run", "rowwise", options, 0); });
  };
  EXPECT_THAT(refusal([](TrainingOptions& o) { o.seed = 7; }), HasSubstr("seed is 0 there, 7 here"));
  EXPECT_THAT(refusal([](TrainingOptions& o) { o.batch_size = 6; }), HasSubstr("batch-size is 4 there, 6 here"));
  EXPECT_THAT(refusal([](TrainingOptions& o) { o.epochs = 3; }), HasSubstr("epochs is 2 there, 3 here"));
  EXPECT_THAT(refusal([](TrainingOptions& o) { o.learning_rate = 1e-3F; }), HasSubstr("lr is 0.01 there, 0.001 here"));
  EXPECT_THAT(refusal([](TrainingOptions& o) { o.accumulation = 1; }), HasSubstr("accumulation is 2 there, 1 here"));
  EXPECT_EQ(refusal([](TrainingOptions&) {}), "no error");
}

TEST_F(ResumeTest, AnEarlierRunIsNotOverwritten) {
  run("run", "rowwise", small_options(), 4);
  Bert bert = tiny_bert("rowwise");
  CheckpointOptions checkpoints;
  checkpoints.folder = around_.path() / "run";
  checkpoints.every = 1;
  EXPECT_THAT(error_of([&] { fine_tune(bert, made_up_data(12), made_up_data(9), small_options(), {}, checkpoints); }),
              HasSubstr("step-00000003 is there from an earlier run"));
}

TEST_F(ResumeTest, ABadNumberKeepsTheLastGoodCheckpoint) {
  for (const std::string& recipe : preset_names()) {
    TrainingOptions options = small_options();
    options.learning_rate = 1e30F;
    options.warmup = 4;  // the first rate is 0, so that the second update ruins the weights
    EXPECT_THAT(error_of([&] { run(recipe, recipe.c_str(), options, 0); }), HasSubstr("step 3: the input of embeddings"));
    EXPECT_TRUE(std::filesystem::exists(around_.path() / recipe / "step-00000002"));
    // Resumed, it ends the same: nothing was saved on the way.
    EXPECT_THAT(error_of([&] { run(recipe, recipe.c_str(), options, 0); }), HasSubstr("step 3: the input of embeddings"));
  }
}

}  // namespace
}  // namespace fixtune
