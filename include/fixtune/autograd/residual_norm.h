#pragma once

#include "fixtune/autograd/kept.h"
#include "fixtune/autograd/tape.h"
#include "fixtune/core/random.h"

namespace fixtune {

/// Constants, dropout and precision of residual_norm().
struct ResidualNormOptions {
  float epsilon = 1e-12F;  ///< added to the variance of a row
  float dropout = 0.0F;   ///< probability that an element of h is dropped, in [0, 1)
  RandomStream random{};  ///< decides which; elements count row-major, as in dropout()
  Kept kept = Kept::FP32;  ///< precision of the normalised rows that the backward step reads
};

/// What follows each half of a transformer block, in one pass:
/// \f$ y = \operatorname{LN}(x + \operatorname{dropout}(h)) \f$.
///
/// x, h and y `[tokens, hidden]`, gamma and beta `[1, hidden]`; equations as in dropout() and layer_norm(). Saves the
/// normalised rows and a float per row, and neither the sum nor the mask, which is drawn again. dgamma and dbeta
/// are summed as in layer_norm(). Throws Error if shapes disagree, dropout is outside [0, 1), or as layer_norm().
Variable residual_norm(Tape& tape, const Variable& x, const Variable& h, const Variable& gamma, const Variable& beta,
                       const ResidualNormOptions& options);

}  // namespace fixtune
