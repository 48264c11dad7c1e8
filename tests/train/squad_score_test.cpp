#include "fixtune/train/squad_score.h"

#include <gmock/gmock.h>

#include <cmath>

namespace fixtune {
namespace {

using testing::ElementsAre;
using testing::Pair;

double f1_of(std::string_view answer, std::string_view right) { return score_answer(SquadVersion::V1, answer, right).f1; }
double exact(std::string_view answer, std::string_view right) {
  return score_answer(SquadVersion::V1, answer, right).exact;
}

SquadDataset questions(const std::vector<std::vector<std::string>>& answers) {
  SquadDataset data{"dev.json", {"context"}, {}};
  for (std::size_t i = 0; i < answers.size(); ++i) {
    Question question{"q" + std::to_string(i), "?", 0, {}, "data[0]"};
    for (const std::string& answer : answers[i]) question.answers.push_back({answer, 0});
    data.questions.push_back(std::move(question));
  }
  return data;
}

TEST(SquadScore, ComparesWords) {
  EXPECT_EQ(exact("The U.S.", "us"), 1.0);
  EXPECT_EQ(exact("1,000", "1000"), 1.0);
  EXPECT_EQ(exact("1\xE2\x80\x93" "2", "12"), 0.0);
  EXPECT_EQ(exact("x y", "y x"), 0.0);
  EXPECT_EQ(f1_of("x y", "y x"), 1.0);
  EXPECT_EQ(f1_of("in the  year 1854", "1854"), 0.5);
  EXPECT_EQ(f1_of("x", "y"), 0.0);
}

TEST(SquadScore, AWordCountsAsOftenAsBothHaveIt) {
  EXPECT_DOUBLE_EQ(f1_of("x x x y", "x x z"), 2.0 * 0.5 * (2.0 / 3.0) / (0.5 + 2.0 / 3.0));
}

TEST(SquadScore, AnswersWithoutWordsScoreByEdition) {
  EXPECT_EQ(exact("A", "A"), 1.0);
  EXPECT_EQ(f1_of("A", "A"), 0.0);
  EXPECT_EQ(score_answer(SquadVersion::V2, "A", "A").f1, 1.0);
  for (const SquadVersion version : {SquadVersion::V1, SquadVersion::V2}) {
    EXPECT_EQ(score_answer(version, "", "x").exact, 0.0);
    EXPECT_EQ(score_answer(version, "", "x").f1, 0.0);
    EXPECT_EQ(score_answer(version, "x", "").f1, 0.0);
  }
  EXPECT_EQ(score_answer(SquadVersion::V2, "", "").exact, 1.0);
}

TEST(SquadScore, TheBestRightAnswerCounts) {
  const SquadDataset data = questions({{"x", "x y", "z"}, {"v w"}});
  const Metrics metrics = squad_metrics(SquadVersion::V1, data, {{"q0", "the x y"}, {"q1", "w"}, {"unasked", "x"}});
  EXPECT_THAT(metrics, ElementsAre(Pair("exact_match", 50.0), Pair("f1", 100.0 * (1.0 + 2.0 * 0.5 / 1.5) / 2.0)));
}

TEST(SquadScore, WhatIsNotAnsweredScoresNothing) {
  EXPECT_THAT(squad_metrics(SquadVersion::V1, questions({{"x"}, {"y"}}), {{"q1", "y"}}),
              ElementsAre(Pair("exact_match", 50.0), Pair("f1", 50.0)));
  const Metrics metrics = squad_metrics(SquadVersion::V2, questions({{}, {"y"}}), {{"q1", "y"}});
  EXPECT_THAT(metrics[0], Pair("exact_match", 50.0));
}

TEST(SquadScore, TheSecondEditionScoresPartsToo) {
  // "A" has no words, so the right answer to q2 is the empty one; but q2 has answers.
  const SquadDataset data = questions({{}, {}, {"A"}, {"x y"}});
  EXPECT_THAT(squad_metrics(SquadVersion::V2, data, {{"q0", ""}, {"q1", "x"}, {"q2", ""}, {"q3", "y"}}),
              ElementsAre(Pair("exact_match", 50.0), Pair("f1", 100.0 * (2.0 + 2.0 * 0.5 / 1.5) / 4.0), Pair("total", 4.0),
                          Pair("HasAns_exact", 50.0), Pair("HasAns_f1", 100.0 * (1.0 + 2.0 * 0.5 / 1.5) / 2.0),
                          Pair("HasAns_total", 2.0), Pair("NoAns_exact", 50.0), Pair("NoAns_f1", 50.0),
                          Pair("NoAns_total", 2.0)));
}

TEST(SquadScore, OfNoQuestionsIsUndefined) {
  EXPECT_THAT(squad_metrics(SquadVersion::V1, questions({}), {}),
              ElementsAre(Pair("exact_match", std::nullopt), Pair("f1", std::nullopt)));
}

}  // namespace
}  // namespace fixtune
