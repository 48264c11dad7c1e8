#include "fixtune/train/span_search.h"

#include <gmock/gmock.h>

#include <cmath>

#include "../temporary_folder.h"

namespace fixtune {
namespace {

const std::string context = "a b c d";

SquadDataset one_question(const std::string& text = context) {
  return {"dev.json", {text}, {{"id", "q", 0, {}, "data[0]"}}};
}

WordPiece letters() {
  return WordPiece({"[UNK]", "[CLS]", "[SEP]", "q", "a", "b", "c", "d"}, {});
}

/// Logits of one window, `[CLS] q [SEP] a b c d [SEP]`: all 0 but those given.
struct Logits {
  std::vector<float> values = std::vector<float>(16, 0.0F);
  Logits& start(std::size_t token, float value) {
    values[2 * token] = value;
    return *this;
  }
  Logits& end(std::size_t token, float value) {
    values[2 * token + 1] = value;
    return *this;
  }
};

struct Found {
  std::string text;
  std::vector<SpanCandidate> best;
  double difference = 0.0;
};

Found search(const Logits& logits, SpanSearchOptions options = {}, SquadVersion version = SquadVersion::V1) {
  const SquadDataset data = one_question();
  const QuestionWindows windows(data, letters(), {});
  SpanSearch search(options);
  search.add_window(windows, 0, logits.values.data());
  return {answer_text(search, options, version, windows, data), search.best(), search.no_answer_difference()};
}

TEST(SpanSearch, TakesTheHighestSum) {
  EXPECT_EQ(search(Logits().start(4, 3).end(5, 2)).text, "b c");
  EXPECT_EQ(search(Logits().start(3, 3).end(6, 2)).text, context);
  EXPECT_EQ(search(Logits().start(6, 3).end(6, 2)).text, "d");
}

TEST(SpanSearch, AnEndNeverComesBeforeItsStart) {
  EXPECT_EQ(search(Logits().start(6, 3).end(3, 3).end(6, 1)).text, "d");
}

TEST(SpanSearch, OnlyTheContextAnswers) {
  EXPECT_EQ(search(Logits().start(0, 9).end(0, 9).start(1, 9).end(2, 9).end(7, 9).start(4, 1).end(4, 1)).text, "b");
}

TEST(SpanSearch, AnswersAreNoLongerThanTheLimit) {
  SpanSearchOptions options;
  options.max_answer_length = 1;
  EXPECT_EQ(search(Logits().start(3, 9).end(6, 9).start(5, 1).end(5, 9.5F), options).text, "c");
  options.max_answer_length = 0;
  EXPECT_THROW(SpanSearch{options}, Error);
}

TEST(SpanSearch, KeepsTheBestInOrder) {
  SpanSearchOptions options;
  options.n_best = 3;
  const std::vector<SpanCandidate> best = search(Logits().start(3, 2).start(4, 1).end(4, 4).end(6, 1), options).best;
  ASSERT_EQ(best.size(), 3U);
  EXPECT_EQ(best[0].score, 6.0);  // a b
  EXPECT_EQ(best[1].score, 5.0);  // b
  EXPECT_EQ(best[1].first, 4);
  EXPECT_EQ(best[2].score, 3.0);  // a b c d
  EXPECT_EQ(best[2].last, 6);
}

TEST(SpanSearch, NoAnswerWinsPastTheThreshold) {
  const Logits logits = Logits().start(0, 3).end(0, 3).start(4, 2).end(4, 2);
  SpanSearchOptions options;
  EXPECT_EQ(search(logits, options).difference, 2.0);
  EXPECT_EQ(search(logits, options, SquadVersion::V2).text, "");
  EXPECT_EQ(search(logits, options, SquadVersion::V1).text, "b");
  options.no_answer_threshold = 2.0;
  EXPECT_EQ(search(logits, options, SquadVersion::V2).text, "b");
}

TEST(SpanSearch, AllWindowsOfAQuestionCompete) {
  const SquadDataset data = one_question();
  const QuestionWindows windows(data, letters(), {6, 0});  // a b, c d
  ASSERT_EQ(windows.size(), 2);
  SpanSearch search({});
  search.add_window(windows, 0, Logits().start(0, 4).end(0, 4).start(3, 1).end(4, 1).values.data());
  search.add_window(windows, 1, Logits().start(0, 1).end(0, 1).start(4, 2).end(4, 2).values.data());
  EXPECT_EQ(answer_text(search, {}, SquadVersion::V2, windows, data), "d");
  EXPECT_EQ(search.no_answer_score(), 2.0) << "the window that least says so";
}

TEST(SpanSearch, AContextWithoutTokensHasNoAnswer) {
  const SquadDataset data = one_question("");
  const QuestionWindows windows(data, letters(), {});
  SpanSearch search({});
  search.add_window(windows, 0, Logits().values.data());
  EXPECT_TRUE(std::isinf(search.no_answer_difference()));
  for (const SquadVersion version : {SquadVersion::V1, SquadVersion::V2})
    EXPECT_EQ(answer_text(search, {}, version, windows, data), "");
}

}  // namespace
}  // namespace fixtune
