#pragma once

#include "fixtune/linear/input.h"

namespace fixtune {

/// What a backward needs of an activation whose forward is done, for recipes whose forward codes serve the backward;
/// the observer is shown what it holds.
LinearInput saved_input(QuantizedActivation x, const Recipe& recipe, const LinearContext& context);

}  // namespace fixtune
