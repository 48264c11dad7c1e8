#include "fixtune/data/wordpiece.h"

#include <gmock/gmock.h>

#include <sstream>

#include "../temporary_folder.h"
#include "fixtune/io/file.h"
#include "fixtune/io/json.h"

namespace fixtune {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Ids = std::vector<std::int32_t>;

const std::string specials = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";

WordPieceOptions options_of(const Json& group) {
  WordPieceOptions options;
  options.lowercase = group["do_lower_case"].get<bool>();
  options.strip_accents = group["strip_accents"].get<bool>();
  options.split_chinese = group["tokenize_chinese_chars"].get<bool>();
  return options;
}

void expect_ids(const WordPiece& tokenizer, const Json& example) {
  std::optional<std::string> pair;
  if (!example["pair"].is_null()) pair = example["pair"].get<std::string>();
  const auto text = example["text"].get<std::string>();
  const Encoding encoding = tokenizer.encode(text, pair, example["max_length"].get<Index>());
  EXPECT_EQ(encoding.ids, example["ids"].get<Ids>()) << example["text"];
  EXPECT_EQ(encoding.segments, example["segments"].get<Ids>()) << example["text"];
}

TEST(WordPieceTest, GivesTheIdsOfBertTokenizerFast) {
  const std::string path = FIXTUNE_FIXTURES "/tokens.jsonl";
  std::istringstream lines(read_file(path));
  std::string line;
  Index examples = 0;
  while (std::getline(lines, line)) {
    const Json group = parse_json(line, path);
    SCOPED_TRACE(group["name"].get<std::string>());
    const WordPiece tokenizer(group["vocabulary"].get<std::vector<std::string>>(), options_of(group), path);
    for (const Json& example : group["examples"]) {
      expect_ids(tokenizer, example);
      ++examples;
    }
  }
  EXPECT_GT(examples, 250);
}

TEST(WordPieceTest, InvalidBytesAreDroppedAsReplacementCharacters) {
  const WordPiece tokenizer({"[UNK]", "[CLS]", "[SEP]", "a", "##b"}, {}, "vocabulary");
  EXPECT_THAT(tokenizer.tokenize("a\xE9"
                                 "b"),
              ElementsAre(3, 4));
  EXPECT_THAT(tokenizer.tokenize("\xF0\x9F a\xED\xA0\x80"), ElementsAre(3));
}

TEST(WordPieceTest, LengthWithoutRoomForSpecialTokensIsRefused) {
  const WordPiece tokenizer({"[UNK]", "[CLS]", "[SEP]", "a"}, {}, "vocabulary");
  for (const Index length : {-1, 0, 1}) EXPECT_THROW(tokenizer.encode("a", {}, length), Error) << length;
  for (const Index length : {0, 1, 2}) EXPECT_THROW(tokenizer.encode("a", "a", length), Error) << length;
  EXPECT_THAT(tokenizer.encode("a", {}, 2).ids, ElementsAre(1, 2));
}

TEST(WordPieceTest, MissingSpecialTokenIsNamed) {
  EXPECT_THAT(error_of([] {
                WordPiece({"[UNK]", "[CLS]", "a"}, {}, "some/vocab.txt");
              }),
              HasSubstr("some/vocab.txt"));
  EXPECT_THAT(error_of([] { WordPiece({"[UNK]", "[CLS]", "a"}, {}, "some/vocab.txt"); }), HasSubstr("[SEP]"));
}

class VocabularyFileTest : public testing::Test {
 protected:
  Ids ids(std::string_view text) {
    return WordPiece::from_folder(folder_.path(), [this](std::string_view line) { notices_ += line; })
        .tokenize(text);
  }
  Ids ids_with(const std::string& vocabulary, std::string_view text) {
    folder_.write("vocab.txt", vocabulary);
    return ids(text);
  }
  std::string refusal() {
    return error_of([this] { ids(""); });
  }

  TemporaryFolder folder_;
  std::string notices_;
};

TEST_F(VocabularyFileTest, LineNumberIsTheId) {
  EXPECT_THAT(ids_with(specials + "a\n\nb\n", "b"), ElementsAre(7));
  EXPECT_THAT(ids_with(specials + "a\n\u2028\nb\n", "b"), ElementsAre(7));
  EXPECT_THAT(ids_with(specials + "a\nb\na\n", "a"), ElementsAre(7));
  EXPECT_THAT(ids_with(specials + "a\nb", "b"), ElementsAre(6));
}

TEST_F(VocabularyFileTest, CarriageReturnsAndByteOrderMarkAreStripped) {
  EXPECT_THAT(ids_with("[PAD]\r\n[UNK]\r\n[CLS]\r\n[SEP]\r\n[MASK]\r\na\r\nb\r\n", "b a"), ElementsAre(6, 5));
  EXPECT_THAT(ids_with("\xEF\xBB\xBF" + specials + "a\n", "[PAD] a"), ElementsAre(0, 5));
}

TEST_F(VocabularyFileTest, ConfigDecidesOnCaseAndAccents) {
  const std::string vocabulary = specials + "cafe\ncafé\nCafé\n";
  EXPECT_THAT(ids_with(vocabulary, "Café"), ElementsAre(5));
  folder_.write("tokenizer_config.json", R"({"do_lower_case": false})");
  EXPECT_THAT(ids("Café cafe\u0301"), ElementsAre(7, 1));
  folder_.write("tokenizer_config.json", R"({"do_lower_case": true, "strip_accents": false})");
  EXPECT_THAT(ids("Café"), ElementsAre(6));
  folder_.write("tokenizer_config.json", R"({"do_lower_case": true, "strip_accents": null})");
  EXPECT_THAT(ids("Café"), ElementsAre(5));
  folder_.write("tokenizer_config.json", R"({"do_lower_case": "yes"})");
  EXPECT_THAT(refusal(), HasSubstr("do_lower_case"));
}

TEST_F(VocabularyFileTest, CasedVocabularyLoweredByDefaultIsNoticed) {
  EXPECT_THAT(ids_with(specials + "Hello\nhello\n", "Hello"), ElementsAre(6));
  EXPECT_THAT(notices_, HasSubstr("cased"));
  notices_.clear();
  folder_.write("tokenizer_config.json", R"({"do_lower_case": true})");
  ids("Hello");
  EXPECT_THAT(notices_, IsEmpty());
  EXPECT_THAT(ids_with(specials + "hello\n", "Hello"), Not(IsEmpty()));
  EXPECT_THAT(notices_, IsEmpty());
}

TEST_F(VocabularyFileTest, TruncationAndPaddingOfTokenizerJsonAreIgnored) {
  folder_.write("tokenizer.json",
                R"({"truncation": {"max_length": 4, "strategy": "LongestFirst", "stride": 0},
    "padding": {"strategy": {"Fixed": 16}}, "model": {"type": "WordPiece",
    "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "a": 4}}})");
  const WordPiece tokenizer = WordPiece::from_folder(folder_.path());
  EXPECT_THAT(tokenizer.encode("a a a a a a", {}, 8).ids, ElementsAre(2, 4, 4, 4, 4, 4, 4, 3));
  EXPECT_EQ(tokenizer.vocabulary_size(), 5);
}

TEST_F(VocabularyFileTest, WhatCannotBeUsedIsRefusedByFile) {
  EXPECT_THAT(refusal(), HasSubstr("no vocab.txt"));
  folder_.write("tokenizer.json", "{\n\"model\": }");
  EXPECT_THAT(refusal(), HasSubstr("tokenizer.json:2"));
  folder_.write("tokenizer.json", R"({"model": {"vocab": ["a"]}})");
  EXPECT_THAT(refusal(), HasSubstr("model.vocab"));
  folder_.write("tokenizer.json", R"({"model": {"vocab": {"a": 7}}})");
  EXPECT_THAT(refusal(), HasSubstr("token a"));
  folder_.write("vocab.txt", "");
  EXPECT_THAT(refusal(), HasSubstr("[UNK]"));
}

}  // namespace
}  // namespace fixtune
