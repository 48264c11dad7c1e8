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
/// \f[ A = \operatorname{LN}\bigl(X + \operatorname{attention}(X W_q^T, X W_k^T, X W_v^T)\, W_o^T\bigr), \qquad
/// Y = \operatorname{LN}\bigl(A + f(A W_1^T)\, W_2^T\bigr), \f]
/// f the activation; biases, and dropout on what a residual adds, are left out here. The six linear layers follow the
/// recipes; X and Y are `[tokens, hidden]`, packed sentences.
class BertLayer {
 public:
  /// Reads the parameters of the block `name` ("encoder.layer.3"). Throws Error naming the tensor that does not fit.
  BertLayer(const std::string& name, const BertConfig& config, ParameterSource& source, const RecipeMap& recipes);

  /// `offsets` are the sentences' first tokens, and at the end the number of tokens.
  Variable operator()(Pass& pass, const Variable& x, std::span<const Index> offsets);

  /// Calls visit(linear) for the six linear layers, in forward order.
  template <typename Visit>
  void for_each_linear(Visit&& visit) {
    for (Linear* l : {&query, &key, &value, &attention_output, &intermediate, &output}) visit(*l);
  }
  /// Calls visit(norm) for the two layer norms, in forward order.
  template <typename Visit>
  void for_each_norm(Visit&& visit) {
    visit(attention_norm);
    visit(output_norm);
  }

  /// The linear layers: W_q, W_k, W_v, W_o, W_1 `[intermediate, hidden]` and W_2 `[hidden, intermediate]` of the
  /// equations.
  ///@{
  Linear query, key, value, attention_output, intermediate, output;
  ///@}
  /// The layer norms after attention and after the feed-forward part, which give A and Y.
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
