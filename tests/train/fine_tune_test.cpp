#include "fixtune/train/fine_tune.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "fixtune/core/parallel.h"
#include "fixtune/train/classification_task.h"

namespace fixtune {
namespace {

using ::testing::HasSubstr;

/// Sentences of made-up words whose class is the presence of word 7.
EncodedDataset made_up_data(Index examples) {
  EncodedDataset data;
  const RandomStream random({5, 0, 0}, 1);
  std::uint64_t counter = 0;
  for (Index i = 0; i < examples; ++i) {
    Encoding e;
    e.ids.push_back(2);
    const auto words = static_cast<Index>(3 + random.bits(counter++) % 8);
    for (Index w = 0; w < words; ++w) e.ids.push_back(static_cast<std::int32_t>(8 + random.bits(counter++) % 30));
    if (i % 2 == 1) e.ids[1 + random.bits(counter++) % static_cast<std::size_t>(words)] = 7;
    e.ids.push_back(3);
    e.segments.assign(e.ids.size(), 0);
    data.encodings.push_back(std::move(e));
    data.labels.push_back(static_cast<float>(i % 2));
  }
  return data;
}

Bert tiny_bert(const char* recipe) {
  BertOptions options;
  options.recipes = {preset(recipe), {}};
  return {std::filesystem::path(FIXTUNE_FIXTURES) / "tiny_bert", options};
}

TrainingOptions quick_options() {
  TrainingOptions options;
  options.epochs = 2;
  options.batch_size = 8;
  options.learning_rate = 1e-2F;
  return options;
}

TrainingResult fine_tune(Bert& bert, Index examples, Index evaluated, const TrainingOptions& options) {
  const EncodedDataset train = made_up_data(examples);
  const EncodedDataset evaluation = made_up_data(evaluated);
  ClassificationTask task(bert, train, evaluation, Task::Text, /*regression=*/false);
  return fine_tune(task, options);
}

std::vector<Tensor> trained(const char* recipe, const TrainingOptions& options, TrainingResult* result = nullptr) {
  Bert bert = tiny_bert(recipe);
  TrainingResult r = fine_tune(bert, 45, 16, options);
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
      fine_tune(bert, 45, evaluated, quick_options());
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
