#include "fixtune/train/fine_tune.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "fixtune/core/parallel.h"
#include "tiny_run.h"

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
    set_thread_count(1);
    const auto one = trained(recipe.c_str(), quick_options());
    set_thread_count(0);
    EXPECT_TRUE(same_bits(one, trained(recipe.c_str(), quick_options()))) << recipe;
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
