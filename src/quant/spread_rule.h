#pragma once

#include "fixtune/core/tensor.h"

/// What gamma counts where it is not the activation's own unit.
namespace fixtune {

/// The root mean square of n values, or 1 where it is no use as a unit: nothing there, next to nothing, or not finite
/// (which the quantiser then names). The same bits on every instruction set.
float spread_of(const float* x, Index n);

/// The same of a whole tensor, for any number of threads.
float spread_of(ConstMatrixMap x);

}  // namespace fixtune
