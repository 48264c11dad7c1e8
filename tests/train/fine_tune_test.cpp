#include "fixtune/train/fine_tune.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include "temporary_folder.h"
#include "tiny_run.h"
#include "on_threads.h"

namespace fixtune {
namespace {

using ::testing::HasSubstr;
using testing_run::fine_tune;
using testing_run::made_up_data;
using testing_run::quick_options;
using testing_run::tiny_bert;

std::vector<Tensor> trained(const char* recipe, const TrainingOptions& options, TrainingResult* result = nullptr) {
  Bert bert = tiny_bert(recipe);
  TrainingResult r = fine_tune(bert, made_up_data(45), made_up_data(16), options);
  if (result != nullptr) *result = std::move(r);
  std::vector<Tensor> values;
  for (const Parameter& p : bert.parameters()) values.push_back(p.variable.value());
  return values;
}

bool same_bits(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  for (std::size_t i = 0; i < a.size(); ++i)
    if (std::memcmp(a[i].data(), b[i].data(), a[i].bytes()) != 0) return false;
  return a.size() == b.size();
}

TEST(FineTune, TheSameRunGivesTheSameBitsOnAnyNumberOfThreads) {
  for (const std::string& recipe : preset_names()) {
    const auto trained_on = [&](int threads) {
      const OnThreads use(threads);
      return trained(recipe.c_str(), quick_options());
    };
    const auto one = trained_on(1);
    for (const int threads : {1, 2, 4}) EXPECT_TRUE(same_bits(one, trained_on(threads))) << recipe << ", " << threads;
  }
}

TEST(FineTune, EvaluatingChangesNothing) {
  for (const char* recipe : {"approach2", "rowwise"}) {
    const auto weights_after = [&](Index evaluated) {
      Bert bert = tiny_bert(recipe);
      fine_tune(bert, made_up_data(45), made_up_data(evaluated), quick_options());
      std::vector<Tensor> values;
      for (const Parameter& p : bert.parameters()) values.push_back(p.variable.value());
      return values;
    };
    EXPECT_TRUE(same_bits(weights_after(0), weights_after(16))) << recipe;
  }
}

TEST(FineTune, AnotherSeedIsAnotherRun) {
  TrainingOptions options = quick_options();
  const auto first = trained("rowwise", options);
  options.seed = 1;
  EXPECT_FALSE(same_bits(first, trained("rowwise", options)));
}

TEST(FineTune, LearnsAndReportsWhatItDid) {
  TrainingOptions options = quick_options();
  options.epochs = 30;
  TrainingResult result;
  trained("rowwise", options, &result);
  ASSERT_EQ(result.epochs.size(), 30U);
  EXPECT_LT(result.epochs.back().loss, 0.5 * result.epochs.front().loss);
  EXPECT_GT(result.saved_activation_bytes, 0U);
  EXPECT_GT(result.tokens_per_second(), 0.0);
  EXPECT_TRUE(result.outliers.to_json().contains("encoder.layer.0.attention.self"));
}

TEST(FineTune, SavesFewerBytesInIntegers) {
  TrainingResult floats;
  TrainingResult integers;
  trained("fp32", quick_options(), &floats);
  trained("rowwise", quick_options(), &integers);
  EXPECT_LT(integers.saved_activation_bytes, floats.saved_activation_bytes);
}

TEST(FineTune, MicroBatchesAddUpToTheBatch) {
  // Dropout is drawn per micro-batch, so the comparison needs a model without it.
  const auto without_dropout = [](Index accumulation) {
    Bert bert = tiny_bert("fp32");
    const EncodedDataset data = made_up_data(12);
    std::vector<Index> order(12);
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<Index>(i);
    for (Index begin = 0; begin < 12; begin += 12 / accumulation) {
      const Index count = 12 / accumulation;
      Tape tape;
      Pass pass{tape, {}, false, {}};
      const PackedBatch batch = data.batch(order, begin, count);
      tape.backward(task_loss(tape, bert(pass, batch), batch.labels, false), 1.0F / static_cast<float>(accumulation));
    }
    return bert.parameters();
  };
  const auto whole = without_dropout(1);
  const auto parts = without_dropout(3);
  for (std::size_t i = 0; i < whole.size(); ++i)
    EXPECT_LT((whole[i].variable.grad().map() - parts[i].variable.grad().map()).cwiseAbs().maxCoeff(), 1e-5F)
        << whole[i].variable.name();
}

TEST(FineTune, ABatchWithoutLabelsIsNoStep) {
  EncodedDataset data = made_up_data(12);
  const std::vector<Index> order = shuffled_order(12, 0, 1);
  for (std::size_t i = 4; i < 9; ++i) data.labels[static_cast<std::size_t>(order[i])] = -100.0F;
  TrainingOptions options = quick_options();
  options.epochs = 1;
  options.batch_size = 4;
  std::string notices;
  std::vector<double> losses;
  std::vector<Tensor> before_second, after_second;
  Bert bert = tiny_bert("rowwise");
  TrainingCallbacks callbacks;
  callbacks.log = [&](std::string_view text) { notices += text; };
  callbacks.step = [&](const TrainingProgress& p) {
    losses.push_back(p.loss);
    std::vector<Tensor>& values = p.step == 1 ? before_second : after_second;
    if (p.step < 3)
      for (const Parameter& parameter : bert.parameters()) values.push_back(parameter.variable.value());
  };
  const TrainingResult result = fine_tune(bert, data, made_up_data(4), options, callbacks);
  EXPECT_THAT(notices, HasSubstr("step 2: no example has a label"));
  EXPECT_TRUE(same_bits(before_second, after_second));
  ASSERT_EQ(losses.size(), 3U);
  EXPECT_EQ(losses[1], 0.0);
  EXPECT_NEAR(result.epochs[0].loss, (4 * losses[0] + 3 * losses[2]) / 7, 1e-12);
}

TEST(FineTune, MicroBatchesWeighEveryLabelledExampleAlike) {
  EncodedDataset data = made_up_data(8);
  const std::vector<Index> order = shuffled_order(8, 0, 1);
  for (const std::size_t i : {1U, 4U, 5U, 6U, 7U}) data.labels[static_cast<std::size_t>(order[i])] = -100.0F;
  const auto first_loss = [&](Index accumulation) {
    TrainingOptions options = quick_options();
    options.epochs = 1;
    options.accumulation = accumulation;
    double loss = 0.0;
    TrainingCallbacks callbacks;
    callbacks.step = [&](const TrainingProgress& p) { loss = p.loss; };
    Bert bert = testing_run::without_dropout("fp32");
    fine_tune(bert, data, {}, options, callbacks);
    return loss;
  };
  EXPECT_NEAR(first_loss(1), first_loss(4), 1e-6);
}

/// The learning rates of a run's steps.
std::vector<float> rates(Index examples, const TrainingOptions& options) {
  std::vector<float> all;
  TrainingCallbacks callbacks;
  callbacks.step = [&](const TrainingProgress& p) { all.push_back(p.learning_rate); };
  Bert bert = tiny_bert("fp32");
  fine_tune(bert, made_up_data(examples), {}, options, callbacks);
  return all;
}

TEST(FineTune, FollowsTheScheduleWhateverTheWarmup) {
  TrainingOptions options = quick_options();  // batches of 8: 2 steps an epoch of 9 examples
  options.learning_rate = 1.0F;
  const auto rates_for = [&](double warmup) {
    options.warmup = warmup;
    return rates(9, options);
  };
  using ::testing::ElementsAre;
  EXPECT_THAT(rates_for(0), ElementsAre(1.0F, 0.75F, 0.5F, 0.25F));
  EXPECT_THAT(rates_for(0.5), ElementsAre(0.0F, 0.5F, 1.0F, 0.5F));
  EXPECT_THAT(rates_for(1), ElementsAre(0.0F, 1.0F, 2.0F / 3.0F, 1.0F / 3.0F));
  EXPECT_THAT(rates_for(4), ElementsAre(0.0F, 0.25F, 0.5F, 0.75F));
  EXPECT_THAT(rates_for(8), ElementsAre(0.0F, 0.125F, 0.25F, 0.375F));
  options.warmup = 0;
  options.epochs = 1;
  EXPECT_THAT(rates(1, options), ElementsAre(1.0F));
  options.warmup = 1.5;
  EXPECT_THROW(rates(1, options), Error);
}

TEST(FineTune, ARateOfZeroChangesNothingAndSaysSo) {
  TrainingOptions options = quick_options();
  options.learning_rate = 0.0F;
  std::string notices;
  TrainingCallbacks callbacks;
  callbacks.log = [&](std::string_view text) { notices += text; };
  Bert bert = tiny_bert("fp32");
  fine_tune(bert, made_up_data(9), {}, options, callbacks);
  std::vector<Tensor> values, untouched;
  for (const Parameter& p : bert.parameters()) values.push_back(p.variable.value());
  Bert copy = tiny_bert("fp32");
  for (const Parameter& p : copy.parameters()) untouched.push_back(p.variable.value());
  EXPECT_TRUE(same_bits(values, untouched));
  EXPECT_THAT(notices, HasSubstr("learning rate is 0"));
}

TEST(FineTune, StopsAtWhatIsNotFiniteBeforeAnyUpdate) {
  for (const std::string& recipe : preset_names())
    for (const char* name : {"encoder.layer.0.intermediate.dense.bias", "pooler.dense.bias", "classifier.bias"}) {
      const auto ruined = [&] {
        Bert bert = tiny_bert(recipe.c_str());
        for (const Parameter& p : bert.parameters()) {
          Variable v = p.variable;
          if (v.name() == name) v.mutable_value()(0, 1) = -std::numeric_limits<float>::infinity();
        }
        return bert;
      };
      Bert bert = ruined();
      Bert untouched = ruined();
      EXPECT_THAT(error_of([&] { fine_tune(bert, made_up_data(8), {}, quick_options()); }), HasSubstr("step 1: "));
      for (std::size_t i = 0; i < bert.parameters().size(); ++i)
        EXPECT_TRUE(same_bits({bert.parameters()[i].variable.value()}, {untouched.parameters()[i].variable.value()}));
      EXPECT_THAT(error_of([&] { predict(bert, made_up_data(8), 4); }), ::testing::Not("no error")) << recipe << name;
    }
}

TEST(FineTune, StopsBeforeTheUpdateNamingTheStep) {
  TrainingOptions options = quick_options();
  options.learning_rate = 1e30F;
  std::string message = "no error";
  try {
    trained("rowwise", options);
  } catch (const Error& error) {
    message = error.what();
  }
  EXPECT_THAT(message, HasSubstr("step 2"));
}

TEST(FineTune, NoEpochsChangeNothing) {
  TrainingOptions options = quick_options();
  options.epochs = 0;
  std::vector<Tensor> untouched;
  Bert copy = tiny_bert("fp32");
  for (const Parameter& p : copy.parameters()) untouched.push_back(p.variable.value());
  EXPECT_TRUE(same_bits(untouched, trained("fp32", options)));
}

}  // namespace
}  // namespace fixtune
