#pragma once

#include <string>

#include "fixtune/autograd/residual_norm.h"
#include "fixtune/autograd/variable.h"
#include "fixtune/nn/pass.h"

namespace fixtune {

/// Layer normalisation with its parameters gamma (`weight`) and beta (`bias`), each `[1, features]`.
class LayerNorm {
 public:
  /// Without parameters: only to be assigned to.
  LayerNorm() = default;
  /// Takes gamma and beta `[1, features]` over as parameters `NAME.weight` and `NAME.bias`, not frozen.
  LayerNorm(const std::string& name, Tensor gamma, Tensor beta, float epsilon);
  Variable operator()(Pass& pass, const Variable& x) const;  ///< `layer_norm(x)`.
  /// `layer_norm(x + dropout(h))`; the layer's own epsilon is used.
  Variable operator()(Pass& pass, const Variable& x, const Variable& h, ResidualNormOptions options) const;

  Variable weight;         ///< gamma `[1, features]`
  Variable bias;           ///< beta `[1, features]`
  float epsilon = 1e-12F;  ///< added to the variance of a row
};

}  // namespace fixtune
