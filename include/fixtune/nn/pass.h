#pragma once

#include <string_view>

#include "fixtune/autograd/tape.h"
#include "fixtune/core/random.h"
#include "fixtune/linear/context.h"

namespace fixtune {

/// One run through a model: where operations are recorded, the random key, and whether dropout acts.
struct Pass {
  Tape& tape;
  RandomKey random;
  bool training = false;
  LinearObserver observer;

  /// The random stream of a named dropout.
  RandomStream dropout_stream(std::string_view name) const;
};

}  // namespace fixtune
