#pragma once

#include <string>

#include "fixtune/autograd/variable.h"

namespace fixtune {

/// A trained variable; `decay` is false for those that weight decay leaves alone (biases, layer norms).
struct Parameter {
  Variable variable;  ///< value and gradient, both shared with the model
  bool decay = true;  ///< whether AdamWOptions::weight_decay acts on it

  /// True if the optimiser has something to do here: not frozen, and a gradient has arrived.
  bool has_gradient() const { return variable.requires_grad() && !variable.grad().empty(); }
};

}  // namespace fixtune
