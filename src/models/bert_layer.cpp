#include "fixtune/models/bert_layer.h"

#include "fixtune/autograd/attention.h"
#include "fixtune/autograd/gelu.h"

namespace fixtune {
namespace {

/// FP32 layers keep everything in FP32; where products are coarser, activations outside them may be too.
Kept kept_beside(const Linear& layer) {
  return layer.recipe.arithmetic == Arithmetic::FP32 ? Kept::FP32 : Kept::BF16;
}

}  // namespace

BertLayer::BertLayer(const std::string& name, const BertConfig& config, ParameterSource& source,
                     const RecipeMap& recipes)
    : name_(name),
      heads_(config.heads),
      activation_(config.activation),
      hidden_dropout_(config.hidden_dropout),
      attention_dropout_(config.attention_dropout),
      attention_products_(recipes.attention_arithmetic() == Arithmetic::BF16 ? FloatKind::BF16 : FloatKind::FP32) {
  const auto linear = [&](const std::string& part, Index out, Index in) {
    return source.linear(name + part, out, in, recipes(name + part));
  };
  query = linear(".attention.self.query", config.hidden, config.hidden);
  key = linear(".attention.self.key", config.hidden, config.hidden);
  value = linear(".attention.self.value", config.hidden, config.hidden);
  attention_output = linear(".attention.output.dense", config.hidden, config.hidden);
  intermediate = linear(".intermediate.dense", config.intermediate, config.hidden);
  output = linear(".output.dense", config.hidden, config.intermediate);
  attention_norm = source.layer_norm(name + ".attention.output.LayerNorm", config.hidden, config.layer_norm_epsilon);
  output_norm = source.layer_norm(name + ".output.LayerNorm", config.hidden, config.layer_norm_epsilon);
}

Variable BertLayer::operator()(Pass& pass, const Variable& x, std::span<const Index> offsets) {
  return feed_forward(pass, self_attention(pass, x, offsets));
}

Variable BertLayer::self_attention(Pass& pass, const Variable& x, std::span<const Index> offsets) {
  const std::string self = name_ + ".attention.self";
  const auto qkv = apply_linears(pass, x, {&query, &key, &value}, self);
  AttentionOptions options;
  options.heads = heads_;
  options.dropout = pass.training ? attention_dropout_ : 0.0F;
  options.random = pass.dropout_stream(self);
  options.products = attention_products_;
  const bool exact = kept_beside(query) == Kept::FP32 && kept_beside(key) == Kept::FP32 && kept_beside(value) == Kept::FP32;
  options.kept = exact ? Kept::FP32 : Kept::BF16;
  const Variable context = attention(pass.tape, qkv[0], qkv[1], qkv[2], offsets, options);
  return add_and_norm(pass, x, attention_output(pass, context), attention_output, attention_norm);
}

Variable BertLayer::feed_forward(Pass& pass, const Variable& x) {
  const Variable wide = intermediate(pass, x);
  return add_and_norm(pass, x, output.activated(pass, wide, activation_, kept_beside(intermediate)), output,
                      output_norm);
}

Variable BertLayer::add_and_norm(Pass& pass, const Variable& x, const Variable& y, const Linear& linear,
                                 const LayerNorm& norm) {
  ResidualNormOptions options;
  options.dropout = pass.training ? hidden_dropout_ : 0.0F;
  options.random = pass.dropout_stream(linear.name());
  options.kept = kept_beside(linear);
  return norm(pass, x, y, options);
}

}  // namespace fixtune
