#include "fixtune/models/bert_encoder.h"

#include <algorithm>

#include "fixtune/autograd/dropout.h"
#include "fixtune/autograd/embedding.h"
#include "fixtune/core/memory.h"

namespace fixtune {
namespace {

/// Pooler and head follow a pattern that matches them, but the default recipe only where it is BF16; else they are FP32.
Recipe head_recipe(const RecipeMap& recipes, std::string_view name) {
  if (const Recipe* recipe = recipes.matched(name)) return *recipe;
  return recipes.fallback.arithmetic == Arithmetic::BF16 ? recipes.fallback : preset("fp32");
}

/// Of the encoder; a head adds little.
std::uint64_t parameter_count(const BertConfig& c) {
  // A configuration may claim anything: in double nothing wraps.
  const auto hidden = static_cast<double>(c.hidden), intermediate = static_cast<double>(c.intermediate);
  const double layer = hidden * (4.0 * hidden + 2.0 * intermediate + 9.0) + intermediate;
  const double rows = static_cast<double>(c.vocabulary) + static_cast<double>(c.positions + c.segment_types + 2);
  return static_cast<std::uint64_t>(std::min(1e17, rows * hidden + static_cast<double>(c.layers) * layer));
}

void require_memory_for(const BertConfig& config, bool training, const std::filesystem::path& folder) {
  const std::uint64_t parameters = parameter_count(config);
  if (training)
    require_memory(4 * sizeof(float) * parameters,
                   fmt::format("{}: fine-tuning {} parameters (weights, gradients, two moments)", folder.string(),
                               parameters));
  else
    require_memory(sizeof(float) * parameters, fmt::format("{}: loading {} parameters", folder.string(), parameters));
}

}  // namespace

BertEncoder::BertEncoder(const std::filesystem::path& folder, const TensorSource& tensors, const BertOptions& options)
    : config_(BertConfig::read(folder / "config.json")) {
  require_memory_for(config_, options.for_training, folder);
  ParameterSource source(tensors, config_.initializer_range, options.seed, options.log);
  words_ = source.table("embeddings.word_embeddings.weight", config_.vocabulary, config_.hidden);
  positions_ = source.table("embeddings.position_embeddings.weight", config_.positions, config_.hidden);
  segments_ = source.table("embeddings.token_type_embeddings.weight", config_.segment_types, config_.hidden);
  embedding_norm_ = source.layer_norm("embeddings.LayerNorm", config_.hidden, config_.layer_norm_epsilon);
  for (Index i = 0; i < config_.layers; ++i)
    layers_.emplace_back(fmt::format("encoder.layer.{}", i), config_, source, options.recipes);
}

void BertEncoder::refuse_unmatched(const RecipeMap& recipes, const std::filesystem::path& folder) {
  for (const std::string& pattern : recipes.unmatched(linear_names()))
    fail("recipe pattern \"{}\" matches no layer of {}", pattern, folder.string());
}

Linear BertEncoder::head_linear(const TensorSource& tensors, const BertOptions& options, const std::string& name,
                                Index out, bool fresh) const {
  const ParameterSource source(tensors, config_.initializer_range, options.seed, options.log);
  return source.linear_or_new(name, out, config_.hidden, head_recipe(options.recipes, name), fresh);
}

Variable BertEncoder::embed(Pass& pass, const PackedBatch& batch) {
  Tape& tape = pass.tape;
  Variable x = embedding_sum(tape, {{words_, batch.ids, "token ids"},
                                    {segments_, batch.segments, "segment ids"},
                                    {positions_, batch.positions, "positions"}});
  x = embedding_norm_(pass, x);
  if (pass.training) x = dropout(tape, x, config_.hidden_dropout, pass.dropout_stream("embeddings"));
  return x;
}

Variable BertEncoder::encode(Pass& pass, const PackedBatch& batch) {
  Variable x = embed(pass, batch);
  for (BertLayer& layer : layers_) x = layer(pass, x, batch.offsets);
  return x;
}

std::vector<std::string> BertEncoder::linear_names() {
  std::vector<std::string> names;
  for (BertLayer& layer : layers_) layer.for_each_linear([&](Linear& l) { names.push_back(l.name()); });
  return names;
}

std::vector<Parameter> BertEncoder::parameters() {
  std::vector<Parameter> all;
  const auto add_norm = [&](LayerNorm& norm) {
    all.push_back({norm.weight, false});
    all.push_back({norm.bias, false});
  };
  for (const Variable& table : {words_, positions_, segments_}) all.push_back({table, true});
  add_norm(embedding_norm_);
  for (BertLayer& layer : layers_) {
    layer.for_each_linear([&](Linear& linear) { add_parameters(linear, all); });
    layer.for_each_norm(add_norm);
  }
  return all;
}

void BertEncoder::weights_changed() {
  for (BertLayer& layer : layers_) layer.for_each_linear([](Linear& l) { l.weight_changed(); });
}

void add_parameters(Linear& linear, std::vector<Parameter>& parameters) {
  parameters.push_back({linear.weight, true});
  parameters.push_back({linear.bias, false});
}

}  // namespace fixtune
