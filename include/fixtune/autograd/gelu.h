#pragma once

#include <cstdint>

#include "fixtune/autograd/kept.h"
#include "fixtune/autograd/tape.h"

namespace fixtune {

enum class Activation : std::uint8_t { Gelu, GeluTanh, Relu };

/// Applies the activation to every element.
///
/// Gelu: `y = x/2 (1 + erf(x/sqrt 2))`. GeluTanh: `y = x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))`. Relu:
/// `y = max(x, 0)`. Error of y below 1e-6 where |y| <= 2, below 5e-7 |y| beyond; NaN stays NaN. Saves the slope
/// `f'(x)`, which costs the forward next to nothing and leaves one product to the backward.
Variable activation(Tape& tape, const Variable& x, Activation kind, Kept kept = Kept::FP32);

/// `y = tanh(x)` for every element; saves y.
Variable tanh(Tape& tape, const Variable& x);

}  // namespace fixtune
