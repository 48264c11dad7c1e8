#pragma once

#include "fixtune/autograd/gelu.h"
#include "fixtune/autograd/linear.h"

namespace fixtune {

/// \f$ Y = f(X)\, W^T + b \f$ for an activation f; the bits of activation() followed by linear().
///
/// Where the recipe has row steps, f(X) is never in memory as a whole: a few rows at a time are computed and quantised
/// while they are in cache, and only their codes and the slope f'(X) are kept.
Variable activated_linear(Tape& tape, const Variable& x, Activation kind, Kept kept, const LinearOperand& layer,
                          const LinearContext& context);

}  // namespace fixtune
