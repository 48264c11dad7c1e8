#include "fixtune/data/text_table.h"

#include <gmock/gmock.h>

#include "../temporary_folder.h"

namespace fixtune {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class TextTableTest : public testing::Test {
 protected:
  Dataset read(std::string_view name, std::string_view content, const TextColumns& columns = {}) {
    return read_text(folder_.write(name, content), columns);
  }
  std::string refusal(std::string_view content, const TextColumns& columns = {}) {
    return error_of([&] { read("rows.tsv", content, columns); });
  }

  TemporaryFolder folder_;
};

std::vector<float> labels(const Dataset& data) {
  std::vector<float> all;
  for (const Example& example : data.examples) all.push_back(example.label);
  return all;
}

TextColumns named(std::vector<std::string> label_names) {
  TextColumns columns;
  columns.label_names = std::move(label_names);
  return columns;
}

TEST_F(TextTableTest, TheThreeFormatsReadAlike) {
  const Dataset tsv = read("a.tsv", "label\ttext\nyes\tone\nno\ttwo\n");
  const Dataset csv = read("a.csv", "label,text\nyes,\"one\"\nno,two\n");
  const Dataset jsonl = read("a.jsonl", "{\"label\":\"yes\",\"text\":\"one\"}\n{\"text\":\"two\",\"label\":\"no\"}\n");
  for (const Dataset& data : {tsv, csv, jsonl}) {
    EXPECT_THAT(data.label_names, ElementsAre("no", "yes"));
    EXPECT_THAT(labels(data), ElementsAre(1, 0));
    EXPECT_EQ(data.examples[1].text, "two");
    EXPECT_FALSE(data.examples[1].pair);
  }
  EXPECT_EQ(tsv.examples[1].line, 3);
  EXPECT_EQ(jsonl.examples[1].line, 2);
}

TEST_F(TextTableTest, NumberLabelsOfJsonAreOneClass) {
  const Dataset data = read("a.jsonl", "{\"text\":\"a\",\"label\":1}\n{\"text\":\"b\",\"label\":\"1\"}\n"
                                       "{\"text\":\"c\",\"label\":1.0}\n{\"text\":\"d\",\"label\":0}\n");
  EXPECT_THAT(data.label_names, ElementsAre("0", "1"));
  EXPECT_THAT(labels(data), ElementsAre(1, 1, 1, 0));
}

TEST_F(TextTableTest, LabelsFoundAreSorted) {
  EXPECT_THAT(read("a.tsv", "text\tlabel\na\t10\nb\t9\nc\t-1\n").label_names, ElementsAre("-1", "9", "10"));
  EXPECT_THAT(read("a.tsv", "text\tlabel\na\t10\nb\t9\nc\tx\n").label_names, ElementsAre("10", "9", "x"));
  EXPECT_THAT(read("a.tsv", "text\tlabel\na\té\nb\tz\nc\tB\n").label_names, ElementsAre("B", "z", "é"));
}

TEST_F(TextTableTest, LabelsGivenKeepTheirOrder) {
  const Dataset data = read("a.tsv", "text\tlabel\na\tno\nb\tyes\n", named({"yes", "no", "maybe"}));
  EXPECT_THAT(data.label_names, ElementsAre("yes", "no", "maybe"));
  EXPECT_THAT(labels(data), ElementsAre(1, 0));
  EXPECT_THAT(refusal("text\tlabel\na\tno\nb\tYes\n", named({"yes", "no"})), HasSubstr("rows.tsv:3: label \"Yes\""));
}

TEST_F(TextTableTest, TooFewClassesAreRefused) {
  EXPECT_THAT(refusal("text\tlabel\na\tno\nb\tno\n"), HasSubstr("rows.tsv: labels [\"no\"] are fewer than 2"));
  EXPECT_THAT(refusal("text\tlabel\n"), HasSubstr("fewer than 2"));
  EXPECT_THAT(refusal("text\tlabel\na\tno\n", named({"no"})), HasSubstr("fewer than 2"));
  EXPECT_THAT(refusal("text\tlabel\na\tno\n", named({"no", "no"})), HasSubstr("twice"));
}

TEST_F(TextTableTest, ColumnsByName) {
  TextColumns columns;
  columns.text = "premise";
  columns.pair = "claim";
  columns.label = "truth";
  const Dataset data = read("a.csv", "truth,claim,premise\n1,B,A\n0,,C\n", columns);
  EXPECT_EQ(data.examples[0].text, "A");
  EXPECT_EQ(data.examples[0].pair, "B");
  EXPECT_EQ(data.examples[1].pair, "");
  EXPECT_THAT(labels(data), ElementsAre(1, 0));
}

TEST_F(TextTableTest, MissingColumnsAreNamed) {
  EXPECT_THAT(refusal("sentence\tlabel\na\t1\n"),
              HasSubstr("rows.tsv: no column \"text\"; there are [\"sentence\", \"label\"]"));
  EXPECT_THAT(refusal("text\ttag\na\t1\n"), HasSubstr("no column \"label\""));
  TextColumns columns;
  columns.pair = "other";
  EXPECT_THAT(refusal("text\tlabel\na\t1\n", columns), HasSubstr("no column \"other\""));
}

TEST_F(TextTableTest, RegressionReadsFiniteNumbers) {
  TextColumns columns;
  columns.regression = true;
  const Dataset data = read("a.tsv", "text\tlabel\na\t-1.5\nb\t2e3\n", columns);
  EXPECT_TRUE(data.label_names.empty());
  EXPECT_THAT(labels(data), ElementsAre(-1.5f, 2000.0f));
  for (const char* word : {"nan", "inf", "1e300", "two", ""})
    EXPECT_THAT(refusal(std::string("text\tlabel\na\t") + word + "\n", columns),
                HasSubstr("rows.tsv:2: label")) << word;
}

TEST_F(TextTableTest, WithoutLabelsTheColumnIsNotNeeded) {
  TextColumns columns = named({"no", "yes"});
  columns.has_label = false;
  const Dataset data = read("a.txt", "text\na\nb\n", columns);
  EXPECT_THAT(data.label_names, ElementsAre("no", "yes"));
  EXPECT_THAT(labels(data), ElementsAre(0, 0));
  EXPECT_EQ(read("a.tsv", "text\tlabel\na\tanything\n", columns).examples.size(), 1u);
}

TEST_F(TextTableTest, UnknownExtensionIsRefused) {
  EXPECT_THAT(error_of([&] { read("rows.xlsx", "text\tlabel\n"); }), HasSubstr("rows.xlsx: "));
}

}  // namespace
}  // namespace fixtune
