#include "fixtune/data/squad.h"

#include <gmock/gmock.h>

#include "../temporary_folder.h"

namespace fixtune {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

std::string document(const std::string& questions, const std::string& context = R"("The cat sat.")") {
  return R"({"version": "x", "data": [{"title": "t", "paragraphs": [{"context": )" + context + R"(, "qas": [)" +
         questions + "]}]}]}";
}

std::string question(const std::string& id, const std::string& rest) {
  return R"({"id": ")" + id + R"(", "question": "Who sat?", )" + rest + "}";
}

class SquadTest : public testing::Test {
 protected:
  SquadDataset read(const std::string& content, SquadVersion version = SquadVersion::V2) {
    return read_squad(folder_.write("dev.json", content), version);
  }
  std::string refusal(const std::string& content, SquadVersion version = SquadVersion::V2) {
    return error_of([&] { read(content, version); });
  }

  TemporaryFolder folder_;
};

TEST_F(SquadTest, TasksHaveEditions) {
  EXPECT_EQ(squad_version("squad"), SquadVersion::V1);
  EXPECT_EQ(squad_version("squad2"), SquadVersion::V2);
  EXPECT_EQ(squad_version("cola"), std::nullopt);
}

TEST_F(SquadTest, ReadsQuestionsWithTheirContext) {
  const SquadDataset data = read(R"({"data": [
    {"paragraphs": [{"context": "One.", "qas": []}]},
    {"paragraphs": [{"context": "The caf\u00e9.", "qas": [
      {"id": "a", "question": "Q?", "answers": [{"text": "caf\u00e9", "answer_start": 4}, {"text": "The", "answer_start": 0}]},
      {"id": "b", "question": "R?", "answers": [], "is_impossible": true, "plausible_answers": 3},
      {"id": "c", "question": "S?", "answers": []}]}]}]})");
  EXPECT_EQ(data.contexts.size(), 2U);
  ASSERT_EQ(data.questions.size(), 3U);
  EXPECT_EQ(data.questions[0].id, "a");
  EXPECT_EQ(data.questions[0].text, "Q?");
  EXPECT_EQ(data.questions[0].context, 1U);
  EXPECT_EQ(data.questions[0].place, "data[1].paragraphs[0].qas[0]");
  ASSERT_EQ(data.questions[0].answers.size(), 2U);
  EXPECT_EQ(data.questions[0].answers[0].text, "caf\xC3\xA9");
  EXPECT_EQ(data.questions[0].answers[0].start, 4);
  EXPECT_THAT(data.questions[1].answers, IsEmpty());
  EXPECT_THAT(data.questions[2].answers, IsEmpty());
}

TEST_F(SquadTest, EmptyListsAreFine) {
  EXPECT_THAT(read(R"({"data": []})").questions, IsEmpty());
  EXPECT_THAT(read(R"({"data": [{"paragraphs": []}]})").questions, IsEmpty());
  EXPECT_THAT(read(document("")).questions, IsEmpty());
}

TEST_F(SquadTest, AQuestionOfTheFirstEditionNeedsAnAnswer) {
  const std::string content = document(question("a", R"("answers": [])"));
  EXPECT_THAT(refusal(content, SquadVersion::V1),
              AllOf(HasSubstr("data[0].paragraphs[0].qas[0].answers"), HasSubstr("squad2")));
  const auto file = folder_.write("unanswered.json", document(R"({"id": "a", "question": "Q?"})"));
  EXPECT_EQ(read_squad(file, SquadVersion::V1, /*has_answers=*/false).questions.size(), 1U);
}

struct Fault {
  std::string content;
  std::string named;
};

TEST_F(SquadTest, FaultsAreNamedByTheirPath) {
  const std::string place = "data[0].paragraphs[0].qas[0]";
  const std::vector<Fault> faults{
      {"{\n\"data\": [\n", "dev.json:3"},
      {"[]", "data is missing"},
      {R"({"data": {}})", "data is not a list"},
      {R"({"data": [{}]})", "data[0].paragraphs is missing"},
      {R"({"data": [{"paragraphs": [{"qas": []}]}]})", "data[0].paragraphs[0].context is missing"},
      {R"({"data": [{"paragraphs": [{"context": "x"}]}]})", "data[0].paragraphs[0].qas is missing"},
      {document("", "7"), "data[0].paragraphs[0].context is not a string"},
      {document("3"), place + ".id is missing"},
      {document(R"({"id": 7, "question": "Q?", "answers": []})"), place + ".id is not a string"},
      {document(R"({"id": "a", "answers": []})"), place + ".question is missing"},
      {document(question("a", R"("is_impossible": true)")), place + ".answers is missing"},
      {document(question("a", R"("answers": [{"answer_start": 0}])")), place + ".answers[0].text is missing"},
      {document(question("a", R"("answers": [{"text": "The"}])")), place + ".answers[0].answer_start is missing"},
      {document(question("a", R"("answers": [{"text": "The", "answer_start": -1}])")),
       place + ".answers[0].answer_start is not a whole number"},
      {document(question("a", R"("answers": [{"text": "The", "answer_start": "0"}])")), place + ".answers[0].answer_start"},
      {document(question("a", R"("answers": [], "is_impossible": 1)")), place + ".is_impossible is not true or false"},
      {document(question("a", R"("answers": [{"text": "The", "answer_start": 0}], "is_impossible": true)")),
       "has answers"},
      {document(question("a", R"("answers": [])") + "," + question("a", R"("answers": [])")), "the same id \"a\""},
  };
  for (const Fault& fault : faults) EXPECT_THAT(refusal(fault.content), AllOf(HasSubstr("dev.json"), HasSubstr(fault.named)));
}

}  // namespace
}  // namespace fixtune
