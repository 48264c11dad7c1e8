#include "fixtune/data/wordpiece.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "fixtune/core/error.h"
#include "fixtune/io/file.h"
#include "fixtune/io/json.h"

namespace fixtune {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::filesystem::path fixtures(FIXTUNE_FIXTURES);
const std::string small_vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ncat\nCat\n##s\ncafe\ncaf\xC3\xA9\n";

/// A model folder of the test's own, removed afterwards.
class WordPieceFolder : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::temp_directory_path() / fmt::format("fixtune-{}-{}", test->name(), getpid());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void write(const char* name, std::string_view content) const {
    std::ofstream(folder_ / name, std::ios::binary) << content;
  }
  WordPiece read() {
    return WordPiece::from_folder(folder_, [this](std::string_view line) { notices_.emplace_back(line); });
  }
  std::string refusal() {
    try {
      read();
    } catch (const Error& error) {
      return error.what();
    }
    return "none";
  }

  std::filesystem::path folder_;
  std::vector<std::string> notices_;
};

Encoding encode(const WordPiece& tokenizer, const Json& line) {
  const auto text = line.at("text").get<std::string>();
  const auto length = line.at("max_length").get<Index>();
  if (line.at("pair").is_null()) return tokenizer.encode(text, std::nullopt, length);
  return tokenizer.encode(text, line.at("pair").get<std::string>(), length);
}

TEST_F(WordPieceFolder, GivesTheReferencesIds) {
  write("vocab.txt", read_file(fixtures / "small_vocab.txt"));
  const WordPiece tokenizer = read();
  std::istringstream lines(read_file(fixtures / "tokens.jsonl"));
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const Json expected = parse_json(line, "tokens.jsonl");
    EXPECT_EQ(encode(tokenizer, expected).ids, expected.at("ids").get<std::vector<std::int32_t>>()) << line;
  }
  EXPECT_GT(count, 50);
}

TEST_F(WordPieceFolder, GivesTheReferencesPlaces) {
  write("vocab.txt", read_file(fixtures / "small_vocab.txt"));
  const WordPiece tokenizer = read();
  std::istringstream lines(read_file(fixtures / "tokens.jsonl"));
  int count = 0;
  for (std::string text; std::getline(lines, text);) {
    const Json line = parse_json(text, "tokens.jsonl");
    if (!line.contains("spans")) continue;
    const TokenizedText tokens = tokenizer.tokenize_with_spans(line.at("text").get<std::string>());
    ASSERT_EQ(tokens.spans.size(), line.at("spans").size()) << text;
    for (std::size_t i = 0; i < tokens.spans.size(); ++i)
      EXPECT_EQ(tokens.spans[i], (TextSpan{line["spans"][i][0].get<Index>(), line["spans"][i][1].get<Index>()})) << text;
    ++count;
  }
  EXPECT_GT(count, 30);
}

TEST_F(WordPieceFolder, SegmentsTellThePairApart) {
  write("vocab.txt", small_vocabulary);
  const WordPiece tokenizer = read();
  EXPECT_THAT(tokenizer.encode("cat", "cats", 16).ids, ElementsAre(2, 5, 3, 5, 7, 3));
  EXPECT_THAT(tokenizer.encode("cat", "cats", 16).segments, ElementsAre(0, 0, 0, 1, 1, 1));
  EXPECT_THAT(tokenizer.encode("", std::nullopt, 2).segments, ElementsAre(0, 0));
}

TEST_F(WordPieceFolder, RefusesALengthWithoutRoomForSpecialTokens) {
  write("vocab.txt", small_vocabulary);
  const WordPiece tokenizer = read();
  EXPECT_THROW(tokenizer.encode("cat", std::nullopt, 1), Error);
  EXPECT_THROW(tokenizer.encode("cat", "cat", 2), Error);
  EXPECT_THROW(tokenizer.encode("cat", "cat", -1), Error);
}

TEST_F(WordPieceFolder, DropsBytesThatAreNotUtf8) {
  write("vocab.txt", small_vocabulary);
  EXPECT_THAT(read().tokenize("c\xFF"
                              "at \xE4\xBD cat\xED\xA0\x80"),
              ElementsAre(5, 5));
  EXPECT_THAT(read().tokenize(std::string_view("c\0at", 4)), ElementsAre(5));
}

TEST_F(WordPieceFolder, LinesOfTheVocabularyAreIds) {
  write("vocab.txt",
        "\xEF\xBB\xBF[PAD]\r\n[UNK]\r\n\r\n[CLS]\r\n[SEP]\r\ncat\r\n##\xE2\x80\xA8\r\ncat\r\ndog");
  const WordPiece tokenizer = read();
  EXPECT_EQ(tokenizer.vocabulary_size(), 9);
  EXPECT_THAT(tokenizer.tokenize("cat dog [PAD] bird"), ElementsAre(7, 8, 0, 1));
}

TEST_F(WordPieceFolder, ReadsTokenizerJsonWithoutVocabTxt) {
  write("tokenizer.json", R"({"truncation": {"max_length": 3}, "padding": {"pad_id": 0},
    "model": {"type": "WordPiece", "vocab": {"[SEP]": 3, "[UNK]": 1, "[CLS]": 2, "cat": 7}}})");
  const WordPiece tokenizer = read();
  EXPECT_EQ(tokenizer.vocabulary_size(), 8);
  EXPECT_THAT(tokenizer.encode("cat cat", std::nullopt, 10).ids, ElementsAre(2, 7, 7, 3));
}

TEST_F(WordPieceFolder, FollowsTokenizerConfig) {
  write("vocab.txt", small_vocabulary);
  write("tokenizer_config.json", R"({"do_lower_case": false, "strip_accents": null})");
  EXPECT_THAT(read().tokenize("Cat caf\xC3\xA9"), ElementsAre(6, 9));
  write("tokenizer_config.json", R"({"do_lower_case": false, "strip_accents": true})");
  EXPECT_THAT(read().tokenize("Cat caf\xC3\xA9"), ElementsAre(6, 8));
  write("tokenizer_config.json", R"({"do_lower_case": true, "strip_accents": false})");
  EXPECT_THAT(read().tokenize("Cat caf\xC3\xA9"), ElementsAre(5, 9));
  EXPECT_THAT(notices_, IsEmpty());
}

TEST_F(WordPieceFolder, ChineseCharactersStandApartUnlessToldOtherwise) {
  write("vocab.txt", small_vocabulary + "\xE4\xBD\xA0\n");
  EXPECT_THAT(read().tokenize("cat\xE4\xBD\xA0"), ElementsAre(5, 10));
  write("tokenizer_config.json", R"({"tokenize_chinese_chars": false})");
  EXPECT_THAT(read().tokenize("cat\xE4\xBD\xA0"), ElementsAre(1));
}

TEST_F(WordPieceFolder, WarnsWhenACasedVocabularyIsLowercasedByDefault) {
  write("vocab.txt", small_vocabulary);
  read();
  EXPECT_THAT(notices_, ElementsAre(HasSubstr("tokenizer_config.json")));
}

TEST_F(WordPieceFolder, RefusalsNameTheFile) {
  EXPECT_THAT(refusal(), HasSubstr("vocab.txt"));
  write("tokenizer.json", R"({"model": {"type": "BPE", "vocab": {}}})");
  EXPECT_THAT(refusal(), HasSubstr("tokenizer.json"));
  write("tokenizer.json", R"({"model": {"vocab": {"[UNK]": -1}}})");
  EXPECT_THAT(refusal(), HasSubstr("tokenizer.json"));
  write("vocab.txt", "[UNK]\n[CLS]\n");
  EXPECT_THAT(refusal(), AllOf(HasSubstr("vocab.txt"), HasSubstr("[SEP]")));
  write("vocab.txt", small_vocabulary);
  write("tokenizer_config.json", R"({"do_lower_case": "yes"})");
  EXPECT_THAT(refusal(), AllOf(HasSubstr("tokenizer_config.json"), HasSubstr("do_lower_case")));
}

TEST(WordPiece, WordsLongerThanTheLimitAreUnknown) {
  WordPieceOptions options;
  options.max_characters = 3;
  const WordPiece tokenizer({"[UNK]", "[CLS]", "[SEP]", "cat", "##s"}, options);
  EXPECT_THAT(tokenizer.tokenize("cat cats"), ElementsAre(3, 0));
  EXPECT_THROW(WordPiece({"cat"}, options), Error);
}

}  // namespace
}  // namespace fixtune
