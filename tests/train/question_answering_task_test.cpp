#include "fixtune/train/question_answering_task.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixtune/autograd/span_loss.h"
#include "fixtune/train/fine_tune.h"

namespace fixtune {
namespace {

const std::filesystem::path tiny_bert = std::filesystem::path(FIXTUNE_FIXTURES) / "tiny_bert";

BertQuestionAnswering tiny_model(const char* recipe) {
  BertOptions options;
  options.recipes = {preset(recipe), {}};
  options.labels = 2;
  return {tiny_bert, options};
}

/// Contexts of nine made-up words of which one, w3 or w4, is the answer; the question says which.
SquadDataset made_up_questions(Index count) {
  SquadDataset data{"made-up", {}, {}};
  const RandomStream random({5, 0, 0}, 1);
  std::uint64_t counter = 0;
  for (Index i = 0; i < count; ++i) {
    const std::string answer = i % 2 == 0 ? "w3" : "w4";
    const auto place = static_cast<Index>(random.bits(counter++) % 9);
    Question question{std::to_string(i), i % 2 == 0 ? "w1" : "w2", static_cast<std::size_t>(i), {}, "data[0]"};
    std::string context;
    for (Index w = 0; w < 9; ++w) {
      if (w == place) question.answers.push_back({answer, count_code_points(context)});
      context += w == place ? answer : "w" + std::to_string(10 + random.bits(counter++) % 20);
      context += " ";
    }
    data.contexts.push_back(context);
    data.questions.push_back(std::move(question));
  }
  return data;
}

struct Data {
  SquadDataset questions;
  QuestionWindows windows;
};

Data made_up_data(Index count, Index max_length = 16) {
  SquadDataset questions = made_up_questions(count);
  QuestionWindows windows(questions, WordPiece::from_folder(tiny_bert), {max_length, 2});
  windows.mark_answers(questions);
  return {std::move(questions), std::move(windows)};
}

TEST(QuestionAnsweringTask, LearnsToAnswer) {
  BertQuestionAnswering bert = tiny_model("rowwise");
  const Data train = made_up_data(60);
  const Data evaluation = made_up_data(20);
  QuestionAnsweringTask task(bert, train.windows, evaluation.questions, evaluation.windows, SquadVersion::V1, {});
  TrainingOptions options;
  options.epochs = 40;
  options.batch_size = 8;
  options.learning_rate = 1e-2F;
  const TrainingResult result = fine_tune(task, options);
  EXPECT_LT(result.epochs.back().loss, 0.5 * result.epochs.front().loss);
  ASSERT_EQ(result.epochs.back().metrics[0].first, "exact_match");
  EXPECT_GT(result.epochs.back().metrics[0].second, 80.0);
  ASSERT_TRUE(task.answers());
  EXPECT_EQ(task.answers()->size(), 20U);
}

TEST(QuestionAnsweringTask, EvaluatingByOtherBatchesAnswersTheSame) {
  const Data data = made_up_data(7, /*max_length=*/10);  // windows of six words, so two for each question
  EXPECT_EQ(data.windows.size(), 14);
  std::vector<SquadPredictions> answers;
  for (const Index batch_size : {1, 3, 64}) {
    BertQuestionAnswering bert = tiny_model("rowwise");
    QuestionAnsweringTask task(bert, data.windows, data.questions, data.windows, SquadVersion::V2, {});
    task.evaluate(batch_size, {});
    answers.push_back(*task.answers());
  }
  EXPECT_EQ(answers[0], answers[1]);
  EXPECT_EQ(answers[0], answers[2]);
}

TEST(QuestionAnsweringTask, AWindowThatPrefersNoAnswerLeavesItEmpty) {
  BertQuestionAnswering bert = tiny_model("fp32");
  const Data data = made_up_data(4);
  SpanSearchOptions search;
  for (const double threshold : {-1e9, 1e9}) {
    search.no_answer_threshold = threshold;
    QuestionAnsweringTask task(bert, data.windows, data.questions, data.windows, SquadVersion::V2, search);
    task.evaluate(4, {});
    for (const auto& [id, answer] : *task.answers()) EXPECT_EQ(answer.empty(), threshold < 0) << id;
  }
}

TEST(QuestionAnsweringTask, ReportsItsProgressInWindows) {
  BertQuestionAnswering bert = tiny_model("fp32");
  const Data data = made_up_data(5);
  QuestionAnsweringTask task(bert, data.windows, data.questions, data.windows, SquadVersion::V1, {});
  std::vector<Index> done;
  task.evaluate(2, [&](Index d, Index total) {
    done.push_back(d);
    EXPECT_EQ(total, 5);
  });
  EXPECT_THAT(done, ::testing::ElementsAre(2, 4, 5));
}

}  // namespace
}  // namespace fixtune
