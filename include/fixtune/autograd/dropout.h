#pragma once

#include "fixtune/autograd/tape.h"
#include "fixtune/core/random.h"

namespace fixtune {

/// Sets a random share of the elements to 0 and scales the rest up.
///
/// \f$ y_i = x_i / (1-p) \f$ where `random.uniform(i) >= p`, else 0; i counts elements row-major. The mask is drawn
/// again in the backward step, not stored. With p = 0 returns x itself. Throws Error if p is outside [0, 1).
Variable dropout(Tape& tape, const Variable& x, float probability, const RandomStream& random);

}  // namespace fixtune
