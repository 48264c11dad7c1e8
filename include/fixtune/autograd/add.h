#pragma once

#include "fixtune/autograd/tape.h"

namespace fixtune {

/// `y = a + b`, all of one shape. Throws Error if the shapes differ.
Variable add(Tape& tape, const Variable& a, const Variable& b);

/// `y = factor * x`.
Variable scale(Tape& tape, const Variable& x, float factor);

}  // namespace fixtune
