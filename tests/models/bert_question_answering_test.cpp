#include "fixtune/models/bert_question_answering.h"

#include <gmock/gmock.h>

#include "../temporary_folder.h"
#include "fixtune/autograd/span_loss.h"
#include "tiny_bert.h"

namespace fixtune {
namespace {

using testing::fixtures;
using testing::options;
using testing::tiny_bert;
using ::testing::HasSubstr;

std::filesystem::path tiny_bert_qa() { return fixtures() / "tiny_bert_qa"; }

/// What transformers made of one step of the tiny BERT with a span head.
Json reference() { return read_json(fixtures() / "tiny_bert_qa_step.json"); }

PackedBatch reference_windows() {
  const Json step = reference();
  std::vector<Encoding> encodings;
  for (std::size_t i = 0; i < step.at("ids").size(); ++i)
    encodings.push_back({step["ids"][i].get<std::vector<std::int32_t>>(),
                         step["segments"][i].get<std::vector<std::int32_t>>()});
  const std::vector<Index> indices{0, 1};
  return pack(encodings, indices);
}

float difference_from_reference(const std::filesystem::path& folder) {
  BertQuestionAnswering bert(folder, options());
  Tape tape(/*recording=*/false);
  Pass pass{tape, {}, false, {}};
  const Tensor logits = bert(pass, reference_windows()).value();
  const auto expected = reference().at("logits").get<std::vector<float>>();
  EXPECT_EQ(static_cast<std::size_t>(logits.size()), expected.size());
  float largest = 0.0F;
  for (std::size_t i = 0; i < expected.size(); ++i)
    largest = std::max(largest, std::abs(logits.data()[i] - expected[i]));
  return largest;
}

TEST(BertQuestionAnswering, LogitsEqualThoseOfTransformers) { EXPECT_LT(difference_from_reference(tiny_bert_qa()), 1e-5F); }

TEST(BertQuestionAnswering, LossAndEveryGradientEqualThoseOfTransformers) {
  BertQuestionAnswering bert(tiny_bert_qa(), options());
  Tape tape;
  Pass pass{tape, {}, false, {}};
  const PackedBatch batch = reference_windows();
  const auto first = reference().at("first").get<std::vector<std::int32_t>>();
  const auto last = reference().at("last").get<std::vector<std::int32_t>>();
  const Variable loss = span_cross_entropy(tape, bert(pass, batch), batch.offsets, first, last);
  EXPECT_NEAR(loss.value()(0, 0), reference().at("loss").get<float>(), 1e-5);
  tape.backward(loss);
  const Json gradients = reference().at("gradients");
  EXPECT_EQ(bert.parameters().size(), gradients.size());
  for (const Parameter& p : bert.parameters()) {
    const auto expected = gradients.at(p.variable.name()).get<std::vector<float>>();
    ASSERT_EQ(static_cast<std::size_t>(p.variable.grad().size()), expected.size()) << p.variable.name();
    for (std::size_t i = 0; i < expected.size(); ++i)
      EXPECT_NEAR(p.variable.grad().data()[i], expected[i], 2e-5) << p.variable.name() << " " << i;
  }
}

TEST(BertQuestionAnswering, AFolderWithoutTheHeadIsRefusedOrGivenOne) {
  EXPECT_THAT(error_of([] { BertQuestionAnswering(tiny_bert(), options()); }), HasSubstr("qa_outputs"));
  BertOptions drawn = options();
  drawn.labels = 2;
  std::vector<std::string> notices;
  drawn.log = [&](std::string_view line) { notices.emplace_back(line); };
  BertQuestionAnswering bert(tiny_bert(), drawn);
  EXPECT_THAT(notices, ::testing::ElementsAre(HasSubstr("qa_outputs [2, 8] is new")));
  drawn.labels = 3;
  EXPECT_THROW(BertQuestionAnswering(tiny_bert(), drawn), Error);
}

TEST(BertQuestionAnswering, SavesWhatItReadsWithoutLabelsOfAnotherHead) {
  const TemporaryFolder scratch;
  const auto in = scratch.path() / "in";
  std::filesystem::copy(tiny_bert_qa(), in);
  Json config = read_json(in / "config.json");
  config["id2label"] = {{"0", "x"}, {"1", "y"}, {"2", "z"}};
  config["problem_type"] = "regression";
  config["my_field"] = "kept";
  std::ofstream(in / "config.json") << config;
  BertQuestionAnswering bert(in, options("rowwise"));
  save_bert(bert, in, scratch.path() / "out");
  EXPECT_LT(difference_from_reference(scratch.path() / "out"), 1e-5F);
  const Json saved = read_json(scratch.path() / "out" / "config.json");
  EXPECT_EQ(saved.at("architectures"), Json::array({"BertForQuestionAnswering"}));
  EXPECT_EQ(saved.at("my_field"), "kept");
  EXPECT_FALSE(saved.contains("id2label"));
  EXPECT_FALSE(saved.contains("problem_type"));
  EXPECT_TRUE(std::filesystem::exists(scratch.path() / "out" / "vocab.txt"));
}

}  // namespace
}  // namespace fixtune
