#pragma once

#include <cstdint>

#include "fixtune/autograd/kept.h"
#include "fixtune/autograd/tape.h"

namespace fixtune {

/// A function of single elements; see activation() for the equations.
enum class Activation : std::uint8_t {
  Gelu,      ///< exact, through erf
  GeluTanh,  ///< GELU's approximation through tanh, `gelu_new` in Hugging Face's files
  Relu       ///< negative elements become 0
};

/// Applies the activation to every element.
///
/// Gelu: \f$ y = \frac x2 \bigl(1 + \operatorname{erf}(x/\sqrt 2)\bigr) \f$. GeluTanh:
/// \f$ y = \frac x2 \bigl(1 + \tanh(\sqrt{2/\pi}\,(x + 0.044715\,x^3))\bigr) \f$. Relu:
/// \f$ y = \max(x, 0) \f$. Error of y below 1e-6 where |y| <= 2, below 5e-7 |y| beyond; NaN stays NaN. Saves the slope
/// `f'(x)`, which costs the forward next to nothing and leaves one product to the backward.
Variable activation(Tape& tape, const Variable& x, Activation kind, Kept kept = Kept::FP32);

/// \f$ y = \tanh x \f$ for every element; saves y.
Variable tanh(Tape& tape, const Variable& x);

}  // namespace fixtune
