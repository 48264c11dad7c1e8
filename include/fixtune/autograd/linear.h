#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "fixtune/autograd/tape.h"
#include "fixtune/linear/linear.h"

namespace fixtune {

/// One linear layer as the autograd operation sees it.
struct LinearOperand {
  Variable weight;                                  ///< `[out, in]`
  Variable bias;                                    ///< `[1, out]`, or none
  std::shared_ptr<const QuantizedWeight> prepared;  ///< of `weight`, by the layer's recipe
  std::string name;                                 ///< of the layer
};

/// \f$ Y_i = X W_i^T + b_i \f$ for layers that read the same X `[tokens, in]` (Q, K and V, or a single layer).
///
/// X is quantised once for every run of layers whose recipes give it the same codes; `context.name` names X, and
/// its random stream, so that sharing changes no code. dX is the sum over the layers. A frozen weight's dW is
/// skipped. Integer recipes keep INT8 codes for the backward, float recipes keep X.
std::vector<Variable> linear(Tape& tape, const Variable& x, std::span<const LinearOperand> layers,
                             const LinearContext& context);

}  // namespace fixtune
