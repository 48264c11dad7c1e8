#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "fixtune/io/file.h"
#include "temporary_folder.h"
#include "tiny_bert.h"

namespace fixtune {
namespace {

using namespace testing;
using ::testing::HasSubstr;
using ::testing::Not;

/// The tiny model rewritten: each tensor under the name that `rename` gives it; an empty name drops it.
void rewrite(const std::filesystem::path& folder, const std::function<std::string(const std::string&)>& rename) {
  std::filesystem::create_directories(folder);
  const SafetensorsFile source(tiny_bert() / "model.safetensors");
  std::vector<Tensor> tensors;
  tensors.reserve(source.entries.size() + 1);
  std::vector<NamedTensor> named;
  for (const auto& [name, entry] : source.entries) {
    const std::string renamed = rename(name);
    if (renamed.empty()) continue;
    tensors.push_back(source.read(name));
    named.push_back({renamed, entry.shape, &tensors.back()});
  }
  write_safetensors(folder / "model.safetensors", named);
  for (const char* file : {"config.json", "vocab.txt"}) write_file_atomically(folder / file, read_file(tiny_bert() / file));
}

void change_config(const std::filesystem::path& folder, const char* field, const Json& value) {
  Json config = read_json(folder / "config.json");
  config[field] = value;
  write_file_atomically(folder / "config.json", config.dump());
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  if (const auto at = text.find(from); at != std::string::npos) text.replace(at, from.size(), to);
  return text;
}

void forward(Bert& bert, const PackedBatch& batch) {
  Tape tape(/*recording=*/false);
  Pass pass{tape, {}, false, {}};
  bert(pass, batch);
}

std::string refusal(const std::filesystem::path& folder) {
  return error_of([&] { Bert bert(folder, options()); });
}

TEST(BertFolder, EveryNamingGivesTheSameLogits) {
  const TemporaryFolder scratch;
  rewrite(scratch.path() / "gamma", [](const std::string& n) {
    return replaced(replaced(n, "LayerNorm.weight", "LayerNorm.gamma"), "LayerNorm.bias", "LayerNorm.beta");
  });
  rewrite(scratch.path() / "bare", [](const std::string& n) { return replaced(n, "bert.", ""); });
  rewrite(scratch.path() / "mixed", [](const std::string& n) {
    return n.find("attention.output") != std::string::npos ? replaced(n, "LayerNorm.weight", "LayerNorm.gamma") : n;
  });
  for (const char* variant : {"gamma", "bare", "mixed"})
    EXPECT_LT(difference_from_reference(scratch.path() / variant), 1e-5F) << variant;
}

TEST(BertFolder, AMissingOrPrefixedWeightIsRefused) {
  const TemporaryFolder scratch;
  rewrite(scratch.path() / "missing",
          [](const std::string& n) { return n == "bert.encoder.layer.0.attention.self.key.bias" ? "" : n; });
  EXPECT_THAT(refusal(scratch.path() / "missing"), HasSubstr("attention.self.key.bias"));
  rewrite(scratch.path() / "module", [](const std::string& n) { return "module." + n; });
  EXPECT_THAT(refusal(scratch.path() / "module"), HasSubstr("embeddings"));
}

TEST(BertFolder, WhatTheConfigurationAsksIsHonouredOrRefusedByName) {
  const std::vector<std::pair<const char*, Json>> refused{{"hidden_act", "nope"},
                                                          {"position_embedding_type", "relative_key"},
                                                          {"model_type", "roberta"},
                                                          {"num_attention_heads", 3},
                                                          {"layer_norm_eps", "x"},
                                                          {"hidden_dropout_prob", 1.5}};
  for (const auto& [field, value] : refused) {
    const TemporaryFolder scratch;
    rewrite(scratch.path(), [](const std::string& n) { return n; });
    change_config(scratch.path(), field, value);
    EXPECT_THAT(refusal(scratch.path()), HasSubstr(field));
  }
  const TemporaryFolder scratch;
  rewrite(scratch.path(), [](const std::string& n) { return n; });
  change_config(scratch.path(), "vocab_size", 41);
  EXPECT_THAT(refusal(scratch.path()), HasSubstr("word_embeddings"));
  change_config(scratch.path(), "vocab_size", 40);
  change_config(scratch.path(), "hidden_act", "relu");
  EXPECT_GT(difference_from_reference(scratch.path()), 1e-4F);
}

/// The tiny model with one tensor replaced, or one more.
void rewrite_tensor(const std::filesystem::path& folder, const std::string& name, const Tensor& tensor) {
  rewrite(folder, [&](const std::string& n) { return n == name ? "" : n; });
  const SafetensorsFile source(folder / "model.safetensors");
  std::vector<Tensor> tensors;
  tensors.reserve(source.entries.size());
  std::vector<NamedTensor> named{{name, {tensor.rows(), tensor.cols()}, &tensor}};
  for (const auto& [other, entry] : source.entries) {
    tensors.push_back(source.read(other));
    named.push_back({other, entry.shape, &tensors.back()});
  }
  write_safetensors(folder / "model.safetensors", named);
}

TEST(BertFolder, WhatBertDoesNotReadIsIgnored) {
  for (const char* extra : {"bert.embeddings.position_ids", "embeddings.position_ids", "cls.predictions.bias",
                            "cls.predictions.transform.dense.weight", "cls.seq_relationship.weight"}) {
    const TemporaryFolder scratch;
    rewrite_tensor(scratch.path(), extra, Tensor::zeros(3, 5));
    EXPECT_LT(difference_from_reference(scratch.path()), 1e-5F) << extra;
  }
}

TEST(BertFolder, ATransposedWeightIsRefused) {
  const TemporaryFolder scratch;
  rewrite_tensor(scratch.path(), "bert.encoder.layer.0.intermediate.dense.weight", Tensor::zeros(8, 16));
  EXPECT_THAT(refusal(scratch.path()), ::testing::AllOf(HasSubstr("intermediate.dense.weight"), HasSubstr("[8, 16]"),
                                                        HasSubstr("[16, 8]")));
}

TEST(BertFolder, EveryActivationAndEpsilonIsHonoured) {
  const auto difference = [](const char* field, const Json& value) {
    const TemporaryFolder scratch;
    rewrite(scratch.path(), [](const std::string& n) { return n; });
    change_config(scratch.path(), field, value);
    return difference_from_reference(scratch.path());
  };
  EXPECT_EQ(difference("hidden_act", "gelu_new"), difference("hidden_act", "gelu_pytorch_tanh"));
  EXPECT_GT(difference("hidden_act", "gelu_new"), difference("hidden_act", "gelu"));
  EXPECT_LT(difference("hidden_act", "gelu_new"), 1e-2F);  // the same function but for its third digit
  EXPECT_GT(difference("layer_norm_eps", 1e-1), 1e-3F);
}

TEST(BertFolder, AHiddenSizeThatTheHeadsDoNotDivideIsRefused) {
  const TemporaryFolder scratch;
  rewrite(scratch.path(), [](const std::string& n) { return n; });
  change_config(scratch.path(), "hidden_size", 9);
  EXPECT_THAT(refusal(scratch.path()), ::testing::AllOf(HasSubstr("hidden_size 9"), HasSubstr("num_attention_heads 2")));
}

TEST(BertFolder, ASecondSentenceNeedsASecondSegment) {
  const TemporaryFolder scratch;
  rewrite_tensor(scratch.path(), "bert.embeddings.token_type_embeddings.weight", Tensor::filled(1, 8, 0.5F));
  change_config(scratch.path(), "type_vocab_size", 1);
  Bert bert(scratch.path(), options());
  PackedBatch batch = reference_batch();
  EXPECT_THAT(error_of([&] { forward(bert, batch); }), HasSubstr("segment ids"));
  std::fill(batch.segments.begin(), batch.segments.end(), 0);
  EXPECT_NO_THROW(forward(bert, batch));
}

// 0 times what is normalised, plus 0: every row of hidden states is zero, and the logits are the heads' biases alone.
TEST(BertFolder, LayerNormsOfZerosGiveFiniteLogits) {
  for (const std::string& recipe : preset_names()) {
    Bert bert(tiny_bert(), options(recipe.c_str()));
    for (const Parameter& p : bert.parameters())
      if (p.variable.name().find("LayerNorm") != std::string::npos) Variable(p.variable).mutable_value().fill(0.0F);
    const Tensor logits = logits_of(bert);
    for (Index i = 0; i < logits.size(); ++i) ASSERT_TRUE(std::isfinite(logits.data()[i])) << recipe;
    EXPECT_EQ(logits(0, 0), logits(1, 0)) << recipe;
  }
}

TEST(BertFolder, NotANumberInAWeightIsNamed) {
  const TemporaryFolder scratch;
  Bert bert(tiny_bert(), options());
  bert.layers()[0].output.weight.mutable_value()(3, 2) = std::numeric_limits<float>::quiet_NaN();
  save_bert(bert, {}, tiny_bert(), scratch.path());
  EXPECT_THAT(refusal(scratch.path()), HasSubstr("encoder.layer.0.output.dense.weight"));
}

TEST(BertFolder, AMissingShardIsNamed) {
  const TemporaryFolder scratch;
  rewrite(scratch.path(), [](const std::string& n) { return n; });
  std::filesystem::rename(scratch.path() / "model.safetensors", scratch.path() / "a.safetensors");
  write_file_atomically(scratch.path() / "model.safetensors.index.json",
                        R"({"weight_map": {"x": "a.safetensors", "y": "b.safetensors"}})");
  EXPECT_THAT(refusal(scratch.path()), HasSubstr("b.safetensors"));
  write_file_atomically(scratch.path() / "model.safetensors.index.json", R"({"weight_map": {"x": "a.safetensors"}})");
  EXPECT_LT(difference_from_reference(scratch.path()), 1e-5F);
}

TEST(BertFolder, SavesWhatItReadsWithUnknownFieldsKept) {
  const TemporaryFolder scratch;
  rewrite(scratch.path() / "in", [](const std::string& n) { return n; });
  change_config(scratch.path() / "in", "my_field", "kept");
  Bert bert(scratch.path() / "in", options("rowwise"));
  save_bert(bert, {{"no", "yes"}, false}, scratch.path() / "in", scratch.path() / "out");
  EXPECT_LT(difference_from_reference(scratch.path() / "out"), 1e-5F);
  const Json config = read_json(scratch.path() / "out" / "config.json");
  EXPECT_EQ(config.at("my_field"), "kept");
  EXPECT_EQ(config.at("id2label").at("1"), "yes");
  EXPECT_EQ(config.at("problem_type"), "single_label_classification");
  EXPECT_TRUE(std::filesystem::exists(scratch.path() / "out" / "vocab.txt"));
  const HeadDescription head = read_head(BertConfig::read(scratch.path() / "out" / "config.json"), 2);
  EXPECT_THAT(head.label_names, ::testing::ElementsAre("no", "yes"));
}

TEST(BertFolder, ATokenPastTheTableIsRefused) {
  Bert bert(tiny_bert(), options());
  PackedBatch batch = reference_batch();
  batch.ids[3] = 40;
  EXPECT_THAT(error_of([&] { forward(bert, batch); }), HasSubstr("40"));
}

}  // namespace
}  // namespace fixtune
