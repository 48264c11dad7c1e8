#include "fixtune/models/bert.h"

#include <cmath>

#include "fixtune/autograd/dropout.h"
#include "fixtune/autograd/embedding.h"
#include "fixtune/autograd/select_rows.h"
#include "fixtune/quant/fixed_point_tensor.h"

namespace fixtune {
namespace {

/// Pooler and head follow a pattern that matches them, but the default recipe only where it is BF16; else they are FP32.
Recipe head_recipe(const RecipeMap& recipes, std::string_view name) {
  if (const Recipe* recipe = recipes.matched(name)) return *recipe;
  return recipes.fallback.arithmetic == Arithmetic::BF16 ? recipes.fallback : preset("fp32");
}

Index classifier_outputs(const TensorSource& tensors) {
  return tensors.contains("classifier.weight") ? tensors.rows("classifier.weight") : 0;
}

}  // namespace

Index stored_labels(const std::filesystem::path& folder) {
  return classifier_outputs(TensorSource(folder));
}

Bert::Bert(const std::filesystem::path& folder, const BertOptions& options)
    : config_(BertConfig::read(folder / "config.json")) {
  const TensorSource tensors(folder);
  ParameterSource source(tensors, config_.initializer_range, options.seed, options.log);
  words_ = source.table("embeddings.word_embeddings.weight", config_.vocabulary, config_.hidden);
  positions_ = source.table("embeddings.position_embeddings.weight", config_.positions, config_.hidden);
  segments_ = source.table("embeddings.token_type_embeddings.weight", config_.segment_types, config_.hidden);
  embedding_norm_ = source.layer_norm("embeddings.LayerNorm", config_.hidden, config_.layer_norm_epsilon);
  for (Index i = 0; i < config_.layers; ++i)
    layers_.emplace_back(fmt::format("encoder.layer.{}", i), config_, source, options.recipes);
  pooler_ = source.linear_or_new("pooler.dense", config_.hidden, config_.hidden,
                                 head_recipe(options.recipes, "pooler.dense"));
  const Index stored = classifier_outputs(tensors);
  const Index labels = options.labels > 0 ? options.labels : stored;
  if (labels == 0) fail("{}: the folder has no classifier; fine-tune it first", folder.string());
  classifier_ = source.linear_or_new("classifier", labels, config_.hidden, head_recipe(options.recipes, "classifier"),
                                     options.new_head || stored != labels);
  for (const std::string& pattern : options.recipes.unmatched(linear_names()))
    fail("recipe pattern \"{}\" matches no layer of {}", pattern, folder.string());
}

Variable Bert::embed(Pass& pass, const PackedBatch& batch) {
  Tape& tape = pass.tape;
  Variable x = embedding_sum(tape, {{words_, batch.ids, "token ids"},
                                    {segments_, batch.segments, "segment ids"},
                                    {positions_, batch.positions, "positions"}});
  x = embedding_norm_(pass, x);
  if (pass.training) x = dropout(tape, x, config_.hidden_dropout, pass.dropout_stream("embeddings"));
  return x;
}

Variable Bert::encode(Pass& pass, const PackedBatch& batch) {
  Variable x = embed(pass, batch);
  for (BertLayer& layer : layers_) x = layer(pass, x, batch.offsets);
  return x;
}

Variable Bert::operator()(Pass& pass, const PackedBatch& batch) {
  const std::span<const Index> first_tokens(batch.offsets.data(), batch.offsets.size() - 1);
  const Variable x = select_rows(pass.tape, encode(pass, batch), first_tokens);
  Variable pooled = pooler_(pass, x);
  // tanh would turn an infinity into 1.
  if (!std::isfinite(max_magnitude(pooled.value().data(), pooled.value().size())))
    fail("the output of pooler.dense is not finite");
  pooled = tanh(pass.tape, pooled);
  if (pass.training)
    pooled = dropout(pass.tape, pooled, config_.classifier_dropout, pass.dropout_stream("classifier"));
  return classifier_(pass, pooled);
}

std::vector<std::string> Bert::linear_names() {
  std::vector<std::string> names;
  for (BertLayer& layer : layers_) layer.for_each_linear([&](Linear& l) { names.push_back(l.name()); });
  for (const Linear* l : {&pooler_, &classifier_}) names.push_back(l->name());
  return names;
}

std::vector<Parameter> Bert::parameters() {
  std::vector<Parameter> all;
  const auto add_norm = [&](LayerNorm& norm) {
    all.push_back({norm.weight, false});
    all.push_back({norm.bias, false});
  };
  const auto add_linear = [&](Linear& linear) {
    all.push_back({linear.weight, true});
    all.push_back({linear.bias, false});
  };
  for (const Variable& table : {words_, positions_, segments_}) all.push_back({table, true});
  add_norm(embedding_norm_);
  for (BertLayer& layer : layers_) {
    layer.for_each_linear(add_linear);
    layer.for_each_norm(add_norm);
  }
  add_linear(pooler_);
  add_linear(classifier_);
  return all;
}

void Bert::weights_changed() {
  for (BertLayer& layer : layers_) layer.for_each_linear([](Linear& l) { l.weight_changed(); });
  pooler_.weight_changed();
  classifier_.weight_changed();
}

}  // namespace fixtune
