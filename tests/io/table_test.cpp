#include "fixtune/io/table.h"

#include <gmock/gmock.h>

#include "../temporary_folder.h"

namespace fixtune {
namespace {

using testing::ElementsAre;
using testing::StartsWith;
using Row = std::vector<std::string>;

class TableTest : public testing::Test {
 protected:
  Table read(TableFormat format, std::string_view content, bool has_header = true) {
    return read_table(folder_.write("rows", content), format, has_header);
  }
  Table tsv(std::string_view content, bool has_header = true) {
    return read(TableFormat::Tsv, content, has_header);
  }
  Table csv(std::string_view content) { return read(TableFormat::Csv, content); }
  Table jsonl(std::string_view content) { return read(TableFormat::Jsonl, content); }

  /// The message of a content that is refused, without the folder: "rows:2: ...".
  std::string refusal(TableFormat format, std::string_view content) {
    const std::string message = error_of([&] { read(format, content); });
    const std::string prefix = folder_.path().string() + "/";
    return message.starts_with(prefix) ? message.substr(prefix.size()) : message;
  }

  TemporaryFolder folder_;
};

TEST_F(TableTest, FormatIsByExtension) {
  EXPECT_EQ(format_of("a/b.tsv"), TableFormat::Tsv);
  EXPECT_EQ(format_of("b.txt"), TableFormat::Tsv);
  EXPECT_EQ(format_of("b.CSV"), TableFormat::Csv);
  EXPECT_EQ(format_of("b.jsonl"), TableFormat::Jsonl);
  EXPECT_EQ(format_of("b.ndjson"), TableFormat::Jsonl);
  EXPECT_THAT(error_of([] { format_of("b.parquet"); }), StartsWith("b.parquet: "));
  EXPECT_THROW(format_of("tsv"), Error);
}

TEST_F(TableTest, TsvQuotesAreText) {
  const Table table = tsv("text\tlabel\n\"a lone quote\t1\n\"\"b\"\t0\n");
  EXPECT_THAT(table.rows, ElementsAre(Row{"\"a lone quote", "1"}, Row{"\"\"b\"", "0"}));
}

TEST_F(TableTest, TsvRowWithAnotherFieldCountIsRefused) {
  EXPECT_THAT(refusal(TableFormat::Tsv, "a\tb\n1\t2\n1\t2\t\n"), StartsWith("rows:3: 3 fields"));
  EXPECT_THAT(refusal(TableFormat::Tsv, "a\tb\n\n1\n"), StartsWith("rows:3: 1 fields"));
}

TEST_F(TableTest, TsvByteOrderMarkCarriageReturnsAndBlankLines) {
  const Table table = tsv("\xEF\xBB\xBF" "a\tb\r\n\r\n1\t2\r\n\n3\t\r\n4\t5\r");
  EXPECT_THAT(table.columns, ElementsAre("a", "b"));
  EXPECT_THAT(table.rows, ElementsAre(Row{"1", "2"}, Row{"3", ""}, Row{"4", "5"}));
  EXPECT_THAT(table.lines, ElementsAre(3, 5, 6));
}

TEST_F(TableTest, TsvLastNewlineIsOptional) {
  EXPECT_EQ(tsv("a\tb\n1\t2").rows, tsv("a\tb\n1\t2\n").rows);
  EXPECT_THAT(tsv("a\tb\n1\t").rows, ElementsAre(Row{"1", ""}));
}

TEST_F(TableTest, WordsForNothingStayWords) {
  EXPECT_THAT(tsv("a\tb\nnull\tNA\nNone\tnan\n").rows, ElementsAre(Row{"null", "NA"}, Row{"None", "nan"}));
  EXPECT_THAT(csv("a,b\nnull,\"NA\"\n").rows, ElementsAre(Row{"null", "NA"}));
}

TEST_F(TableTest, WithoutHeaderTheFirstRowIsKept) {
  const Table table = tsv("x\ty\nz\tw\n", false);
  EXPECT_THAT(table.columns, ElementsAre("0", "1"));
  EXPECT_THAT(table.rows, ElementsAre(Row{"x", "y"}, Row{"z", "w"}));
  EXPECT_THAT(table.lines, ElementsAre(1, 2));
}

TEST_F(TableTest, BytesThatAreNotUtf8AreRefused) {
  EXPECT_THAT(refusal(TableFormat::Tsv, "a\nfine\ncaf\xE9\n"), StartsWith("rows:3: not UTF-8: byte 0xE9"));
  EXPECT_THAT(refusal(TableFormat::Csv, "a\n\"\n\xC0\xAF\"\n"), StartsWith("rows:3: "));  // overlong
  EXPECT_THAT(refusal(TableFormat::Jsonl, "{\"a\":\"\xED\xA0\x80\"}\n"), StartsWith("rows:1: "));  // surrogate
  EXPECT_THAT(refusal(TableFormat::Tsv, "\xF4\x90\x80\x80"), StartsWith("rows:1: "));  // past U+10FFFF
  EXPECT_THAT(refusal(TableFormat::Tsv, "a\xE2\x82"), StartsWith("rows:1: "));         // cut short
  EXPECT_THAT(tsv("a\ncafé €😀\xF4\x8F\xBF\xBF\n").rows.size(), 1u);
}

TEST_F(TableTest, EmptyOrMissingFilesAreRefused) {
  EXPECT_THAT(refusal(TableFormat::Tsv, ""), StartsWith("rows:1: "));
  EXPECT_THAT(refusal(TableFormat::Csv, "\n\r\n"), StartsWith("rows:1: "));
  EXPECT_THAT(refusal(TableFormat::Jsonl, "\xEF\xBB\xBF"), StartsWith("rows:1: "));
  EXPECT_THROW(read_table(folder_.path() / "absent", TableFormat::Tsv, true), Error);
}

TEST_F(TableTest, CsvQuotedFields) {
  const Table table = csv("a,b\r\n\"x, y\",\"she said \"\"no\"\"\"\r\n\"two\nlines\",\r\n\r\nlast,\"\"");
  EXPECT_THAT(table.rows, ElementsAre(Row{"x, y", "she said \"no\""}, Row{"two\nlines", ""}, Row{"last", ""}));
  EXPECT_THAT(table.lines, ElementsAre(2, 3, 6));
}

TEST_F(TableTest, CsvKeepsQuotesInsideAnUnquotedField) {
  EXPECT_THAT(csv("a,b\n5\" disk,x\n").rows, ElementsAre(Row{"5\" disk", "x"}));
}

TEST_F(TableTest, CsvRefusals) {
  EXPECT_THAT(refusal(TableFormat::Csv, "a,b\n1,2\n3,\"open\n4,5\n"), StartsWith("rows:3: a quoted field"));
  EXPECT_THAT(refusal(TableFormat::Csv, "a,b\n\"1\"x,2\n"), StartsWith("rows:2: text after"));
  EXPECT_THAT(refusal(TableFormat::Csv, "a,b\n\"1\n1\",2\n\"3\n\",4,5\n"), StartsWith("rows:4: 3 fields"));
}

TEST_F(TableTest, JsonlNumbersAndWordsReadAlike) {
  const Table table = jsonl(
      "{\"t\":\"x\",\"l\":1}\n{\"l\":\"1\",\"t\":\"y\"}\n\n{\"t\":\"z\",\"l\":1.0,\"more\":[]}\r\n");
  EXPECT_THAT(table.columns, ElementsAre("t", "l"));
  EXPECT_THAT(table.rows, ElementsAre(Row{"x", "1"}, Row{"y", "1"}, Row{"z", "1"}));
  EXPECT_THAT(table.lines, ElementsAre(1, 2, 4));
}

TEST_F(TableTest, JsonlOtherValues) {
  const Table table = jsonl(R"({"a":0.1,"b":-2.0,"c":true,"d":false,"e":"","f":1e2,"g":-0.0,"h":"null"})");
  EXPECT_THAT(table.rows, ElementsAre(Row{"0.1", "-2", "true", "false", "", "100", "0", "null"}));
}

TEST_F(TableTest, JsonlSurrogates) {
  EXPECT_THAT(jsonl(R"({"a":"\ud83d\ude00\u00e9"})").rows, ElementsAre(Row{"😀é"}));
  EXPECT_THAT(refusal(TableFormat::Jsonl, "{\"a\":1}\n{\"a\":\"\\ud83d\"}\n"), StartsWith("rows:2: "));
  EXPECT_THAT(refusal(TableFormat::Jsonl, "{\"a\":\"\\ude00\"}\n"), StartsWith("rows:1: "));
}

TEST_F(TableTest, JsonlRefusals) {
  EXPECT_THAT(refusal(TableFormat::Jsonl, "{\"a\":1,\"b\":2}\n{\"a\":1}\n"), StartsWith("rows:2: no key \"b\""));
  EXPECT_THAT(refusal(TableFormat::Jsonl, "{\"a\":1}\n{\"a\":null}\n"), StartsWith("rows:2: \"a\" is null"));
  EXPECT_THAT(refusal(TableFormat::Jsonl, "{\"a\":[1]}\n"), StartsWith("rows:1: \"a\" is an array"));
  EXPECT_THAT(refusal(TableFormat::Jsonl, "{\"a\":{}}\n"), StartsWith("rows:1: \"a\" is an array or object"));
  EXPECT_THAT(refusal(TableFormat::Jsonl, "{\"a\":1}\n[1]\n"), StartsWith("rows:2: not a JSON object"));
  EXPECT_THAT(refusal(TableFormat::Jsonl, "{\"a\":1}\n{\"a\":1} x\n"), StartsWith("rows:2: malformed JSON"));
  EXPECT_THAT(refusal(TableFormat::Jsonl, "{\"a\":1e999}\n"), StartsWith("rows:1: malformed JSON"));
  EXPECT_THAT(refusal(TableFormat::Jsonl, "{}\n"), StartsWith("rows:1: "));
}

}  // namespace
}  // namespace fixtune
