#pragma once

#include <span>
#include <string>

#include "fixtune/gemm/float_product.h"
#include "fixtune/models/bert_config.h"
#include "fixtune/models/parameter_source.h"
#include "fixtune/nn/layer_norm.h"
#include "fixtune/nn/linear.h"

namespace fixtune {

/// One encoder block: self-attention and feed-forward, each followed by residual and layer norm.
///
///     A = LN(X + W_o attention(W_q X, W_k X, W_v X)),  Y = LN(A + W_2 act(W_1 A))
///
/// Its six linear layers follow the recipes; X and Y are `[tokens, hidden]`, packed sentences.
class BertLayer {
 public:
  /// Takes its parameters, named from `name` on, from the source.
  BertLayer(const std::string& name, const BertConfig& config, ParameterSource& source, const RecipeMap& recipes);

  /// `offsets` are the sentences' first tokens, and at the end the number of tokens.
  Variable operator()(Pass& pass, const Variable& x, std::span<const Index> offsets);

  /// Calls visit(linear) for the six linear layers, in forward order.
  template <typename Visit>
  void for_each_linear(Visit&& visit) {
    for (Linear* l : {&query, &key, &value, &attention_output, &intermediate, &output}) visit(*l);
  }
  template <typename Visit>
  /// Calls `visit` with each layer norm.
  void for_each_norm(Visit&& visit) {
    visit(attention_norm);
    visit(output_norm);
  }

  /// The six linear layers.
  ///@{
  Linear query, key, value, attention_output, intermediate, output;
  ///@}
  /// The norms after attention and after the feed-forward part.
  ///@{
  LayerNorm attention_norm, output_norm;
  ///@}

 private:
  Variable self_attention(Pass& pass, const Variable& x, std::span<const Index> offsets);
  Variable feed_forward(Pass& pass, const Variable& x);
  /// norm(x + dropout(y)), where y is what `linear` gave
  Variable add_and_norm(Pass& pass, const Variable& x, const Variable& y, const Linear& linear, const LayerNorm& norm);

  std::string name_;
  Index heads_;
  Activation activation_;
  float hidden_dropout_;
  float attention_dropout_;
  FloatKind attention_products_;
};

}  // namespace fixtune
