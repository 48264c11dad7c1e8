#include "fixtune/data/question_windows.h"

#include <gmock/gmock.h>

#include <sstream>

#include "../temporary_folder.h"
#include "fixtune/io/file.h"
#include "fixtune/io/json.h"

namespace fixtune {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::vector<std::string> lines_of(const char* file) {
  std::istringstream stream(read_file(std::filesystem::path(FIXTUNE_FIXTURES) / file));
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

WordPiece small_tokenizer() { return WordPiece(lines_of("small_vocab.txt"), {}); }

SquadDataset one_question(const std::string& question, const std::string& context, std::vector<Answer> answers = {}) {
  return {"dev.json", {context}, {{"id", question, 0, std::move(answers), "data[0].paragraphs[0].qas[0]"}}};
}

std::vector<TextSpan> spans(const QuestionWindows& windows, Index window) {
  std::vector<TextSpan> all;
  const QuestionWindow& w = windows[window];
  for (Index t = w.context_begin; t < w.context_begin + w.context.count; ++t)
    all.push_back(windows.text_span(window, t, t));
  return all;
}

std::vector<TextSpan> expected_spans(const Json& window) {
  std::vector<TextSpan> all;
  for (const Json& span : window.at("spans")) all.push_back({span[0].get<Index>(), span[1].get<Index>()});
  return all;
}

TEST(QuestionWindows, EqualThoseOfTransformers) {
  const WordPiece tokenizer = small_tokenizer();
  for (const std::string& line : lines_of("windows.jsonl")) {
    const Json expected = parse_json(line, "windows.jsonl");
    const SquadDataset data = one_question(expected["question"].get<std::string>(), expected["context"].get<std::string>());
    const QuestionWindows windows(data, tokenizer,
                                  {expected["max_length"].get<Index>(), expected["doc_stride"].get<Index>()});
    ASSERT_EQ(windows.size(), static_cast<Index>(expected["windows"].size())) << line;
    for (Index i = 0; i < windows.size(); ++i) {
      const Json& window = expected["windows"][static_cast<std::size_t>(i)];
      EXPECT_EQ(windows.encoding(i).ids, window["ids"].get<std::vector<std::int32_t>>()) << line;
      EXPECT_EQ(spans(windows, i), expected_spans(window)) << line;
    }
  }
}

TEST(QuestionWindows, TheQuestionIsTheFirstSegment) {
  const QuestionWindows windows(one_question("the cat", "sat on mat"), small_tokenizer(), {});
  EXPECT_THAT(windows.encoding(0).segments, testing::ElementsAre(0, 0, 0, 0, 1, 1, 1, 1));
  EXPECT_EQ(windows[0].context_begin, 4);
}

TEST(QuestionWindows, AnswersAreMarkedWhereTheWindowHoldsAllOfThem) {
  const SquadDataset data = one_question("the", "a b c d e f g", {{"d e", 6}, {"a", 0}});
  QuestionWindows windows(data, small_tokenizer(), {8, 2});  // a b c d, c d e f, e f g
  EXPECT_EQ(windows.mark_answers(data), 0);
  ASSERT_EQ(windows.size(), 3);
  EXPECT_EQ(windows[0].answer_first, 0);
  EXPECT_EQ(windows[0].answer_last, 0);
  EXPECT_EQ(windows[1].answer_first, 4);
  EXPECT_EQ(windows[1].answer_last, 5);
  EXPECT_EQ(windows.text_span(1, 4, 5), (TextSpan{6, 9}));
  EXPECT_EQ(windows[2].answer_first, 0);
}

TEST(QuestionWindows, AnAnswerInsideAWordTakesTheWholeToken) {
  const std::string context = "na\xC3\xAFve cafe\xCC\x81s \xE4\xBD\xA0\xE4\xB8\x96!";  // cafes in decomposed form
  const SquadDataset data = one_question("the", context, {{"cafe", 6}});
  QuestionWindows windows(data, small_tokenizer(), {});
  windows.mark_answers(data);
  const TextSpan span = windows.text_span(0, windows[0].answer_first, windows[0].answer_last);
  EXPECT_EQ(substring(context, span), "cafe");
  const TextSpan all = windows.text_span(0, windows[0].context_begin, windows[0].context_begin + windows[0].context.count - 1);
  EXPECT_EQ(substring(context, all), context);
}

TEST(QuestionWindows, AnAnswerWithoutATokenIsCounted) {
  const SquadDataset data = one_question("the", "cat \xE2\x80\x8B sat", {{"\xE2\x80\x8B", 4}});
  QuestionWindows windows(data, small_tokenizer(), {});
  EXPECT_EQ(windows.mark_answers(data), 1);
  EXPECT_EQ(windows[0].answer_first, 0);
}

TEST(QuestionWindows, AnAnswerThatTheContextDoesNotHaveIsNamed) {
  for (const Index start : {5, 600}) {
    const SquadDataset data = one_question("the", "cat sat", {{"sat", start}});
    QuestionWindows windows(data, small_tokenizer(), {});
    EXPECT_THAT(error_of([&] { windows.mark_answers(data); }),
                AllOf(HasSubstr("dev.json: data[0].paragraphs[0].qas[0].answers[0]"), HasSubstr("sat")));
  }
}

TEST(QuestionWindows, AQuestionThatLeavesNoRoomIsNamed) {
  std::string long_question = "cat";
  for (int i = 1; i < 20; ++i) long_question += " cat";
  for (const auto& [question, length] : {std::pair{std::string("the cat sat"), 6}, std::pair{long_question, 16}})
    EXPECT_THAT(error_of([&, q = question, most = length] {
                  QuestionWindows(one_question(q, "a b c"), small_tokenizer(), {most, 0});
                }),
                AllOf(HasSubstr("qas[0]"), HasSubstr("--max-length")));
  EXPECT_THAT(error_of([&] { QuestionWindows(one_question("the", "a b c d e"), small_tokenizer(), {8, 4}); }),
              AllOf(HasSubstr("qas[0]"), HasSubstr("--doc-stride 4")));
}

TEST(QuestionWindows, AnEmptyContextIsOneWindow) {
  const QuestionWindows windows(one_question("the cat", " "), small_tokenizer(), {});
  ASSERT_EQ(windows.size(), 1);
  EXPECT_EQ(windows[0].context.count, 0);
  EXPECT_EQ(windows.encoding(0).ids.size(), 5U);
}

}  // namespace
}  // namespace fixtune
