#include "fixtune/data/glue.h"

#include <gmock/gmock.h>

#include "../temporary_folder.h"

namespace fixtune {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class GlueTest : public testing::Test {
 protected:
  Dataset read(Task task, std::string_view content, const LogCallback& log = {}) {
    return read_glue(task, folder_.write("rows.tsv", content), log);
  }
  std::string refusal(Task task, std::string_view content) {
    return error_of([&] { read(task, content); });
  }

  TemporaryFolder folder_;
};

std::vector<float> labels(const Dataset& data) {
  std::vector<float> all;
  for (const Example& example : data.examples) all.push_back(example.label);
  return all;
}

TEST_F(GlueTest, TasksHaveNames) {
  for (const char* name : {"cola", "sst2", "mrpc", "stsb", "rte", "qnli", "mnli", "text"}) {
    EXPECT_EQ(task_name(parse_task(name)), name);
    EXPECT_EQ(is_regression(parse_task(name)), std::string_view(name) == "stsb");
  }
  EXPECT_THAT(error_of([] { parse_task("wnli"); }), HasSubstr("cola, sst2, mrpc, stsb, rte, qnli, mnli, text"));
}

TEST_F(GlueTest, FilesOfATask) {
  EXPECT_EQ(train_file(Task::RTE, "d"), "d/train.tsv");
  EXPECT_EQ(dev_file(Task::RTE, "d"), "d/dev.tsv");
  EXPECT_EQ(train_file(Task::MNLI, "d"), "d/train.tsv");
  EXPECT_EQ(dev_file(Task::MNLI, "d"), "d/dev_matched.tsv");
}

TEST_F(GlueTest, ColaHasNoHeader) {
  const Dataset data = read(Task::CoLA, "s1\t1\t\tFirst row.\ns1\t0\t*\tRow second \"the.\n");
  EXPECT_THAT(data.label_names, ElementsAre("unacceptable", "acceptable"));
  EXPECT_THAT(labels(data), ElementsAre(1, 0));
  ASSERT_EQ(data.examples.size(), 2u);
  EXPECT_EQ(data.examples[0].text, "First row.");
  EXPECT_FALSE(data.examples[0].pair);
  EXPECT_EQ(data.examples[0].line, 1);
  EXPECT_EQ(data.examples[1].text, "Row second \"the.");
}

TEST_F(GlueTest, Sst2KeepsItsSpaces) {
  const Dataset data = read(Task::SST2, "sentence\tlabel\na fine film \t1\nnull\t0\n");
  EXPECT_THAT(data.label_names, ElementsAre("negative", "positive"));
  EXPECT_THAT(labels(data), ElementsAre(1, 0));
  EXPECT_EQ(data.examples[0].text, "a fine film ");
  EXPECT_EQ(data.examples[1].text, "null");
  EXPECT_EQ(data.examples[1].line, 3);
}

TEST_F(GlueTest, MrpcWithByteOrderMark) {
  const Dataset data = read(Task::MRPC, "\xEF\xBB\xBFQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\r\n"
                                        "1\t7\t8\tA \"b.\tC.\r\n");
  EXPECT_THAT(data.label_names, ElementsAre("not_equivalent", "equivalent"));
  EXPECT_THAT(labels(data), ElementsAre(1));
  EXPECT_EQ(data.examples[0].text, "A \"b.");
  EXPECT_EQ(data.examples[0].pair, "C.");
}

TEST_F(GlueTest, EntailmentIsClassZero) {
  const Dataset rte = read(Task::RTE, "index\tsentence1\tsentence2\tlabel\n"
                                      "0\tA\tB\tnot_entailment\n1\tC\tD\tentailment\n");
  EXPECT_THAT(rte.label_names, ElementsAre("entailment", "not_entailment"));
  EXPECT_THAT(labels(rte), ElementsAre(1, 0));
  const Dataset qnli = read(Task::QNLI, "index\tquestion\tsentence\tlabel\n0\tA?\tB\tentailment\n");
  EXPECT_THAT(labels(qnli), ElementsAre(0));
  EXPECT_EQ(qnli.examples[0].text, "A?");
  EXPECT_EQ(qnli.examples[0].pair, "B");
}

TEST_F(GlueTest, MnliFindsItsColumnsByName) {
  const Dataset data = read(Task::MNLI,
                            "index\tgenre\tsentence1\tsentence2\tlabel1\tgold_label\n"
                            "0\tg\tA\tB\tneutral\tcontradiction\n1\tg\tC\tD\tneutral\tneutral\n");
  EXPECT_THAT(data.label_names, ElementsAre("entailment", "neutral", "contradiction"));
  EXPECT_THAT(labels(data), ElementsAre(2, 1));
}

TEST_F(GlueTest, StsbScores) {
  const std::string header = "index\tsentence1\tsentence2\tscore\n";
  const Dataset data = read(Task::STSB, header + "0\tA\tB\t5.000\n1\tC\tD\t0\n2\tE\tF\t2.25\n");
  EXPECT_TRUE(data.label_names.empty());
  EXPECT_THAT(labels(data), ElementsAre(5, 0, 2.25f));
  for (const char* score : {"5.01", "-1", "nan", "inf", "", "3x", " 3", "3,5", "1e999"})
    EXPECT_THAT(refusal(Task::STSB, header + "0\tA\tB\t1\n1\tA\tB\t" + score + "\n"),
                HasSubstr("rows.tsv:3: score")) << score;
}

TEST_F(GlueTest, Refusals) {
  EXPECT_THAT(refusal(Task::CoLA, "s\t1\t\tA\ns\t2\t\tB\n"), HasSubstr("rows.tsv:2: label \"2\""));
  EXPECT_THAT(refusal(Task::CoLA, "s\tlabel\tmark\tsentence\n"), HasSubstr("rows.tsv:1: label \"label\""));
  EXPECT_THAT(refusal(Task::CoLA, "s\t1\t\tA\textra\tB\ns\t1\t\tA\n"), HasSubstr("rows.tsv:2: "));
  EXPECT_THAT(refusal(Task::MNLI, "index\tsentence1\tsentence2\tgold_label\n0\tA\tB\t-\n"),
              HasSubstr("rows.tsv:2: label \"-\""));
  EXPECT_THAT(refusal(Task::SST2, "text\tlabel\nA\t1\n"),
              HasSubstr("no column \"sentence\"; there are [\"text\", \"label\"]"));
  EXPECT_THAT(refusal(Task::SST2, "sentence\tsentence\tlabel\nA\tB\t1\n"), HasSubstr("2 columns"));
  EXPECT_THAT(refusal(Task::SST2, "sentence\tlabel\nA\tB\t1\n"), HasSubstr("rows.tsv:2: 3 fields"));
  EXPECT_THAT(refusal(Task::Text, "text\tlabel\nA\t1\n"), HasSubstr("read_text"));
}

TEST_F(GlueTest, EmptySentencesAreReported) {
  std::vector<std::string> notices;
  const LogCallback log = [&](std::string_view notice) { notices.emplace_back(notice); };
  EXPECT_EQ(read(Task::SST2, "sentence\tlabel\n\t1\nA\t0\n", log).examples.size(), 2u);
  EXPECT_THAT(notices, ElementsAre(HasSubstr("1 examples have an empty sentence")));
  read(Task::SST2, "sentence\tlabel\nA\t1\n", log);
  EXPECT_EQ(notices.size(), 1u);
}

}  // namespace
}  // namespace fixtune
