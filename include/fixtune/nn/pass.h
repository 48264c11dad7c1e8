#pragma once

#include <functional>
#include <string_view>

#include "fixtune/autograd/tape.h"
#include "fixtune/core/random.h"
#include "fixtune/core/tensor.h"
#include "fixtune/linear/context.h"

namespace fixtune {

/// Shown the FP32 input `[tokens, in]` of each linear layer, once where several layers read it, before it is quantised;
/// called on the calling thread, the input is readable during the call.
using InputObserver = std::function<void(std::string_view input, ConstMatrixMap x)>;

/// Shown the gradient `[tokens, out]` of each linear layer's output in the backward, before it is quantised; called on
/// the calling thread, the gradient is readable during the call.
using OutputGradientObserver = std::function<void(std::string_view layer, ConstMatrixMap dy)>;

/// One run through a model: where operations are recorded, the random key, and whether dropout acts.
struct Pass {
  Tape& tape;               ///< must outlive the pass
  RandomKey random;         ///< of dropout and stochastic rounding
  bool training = false;    ///< whether dropout acts
  LinearObserver observer;  ///< told what the input of each integer layer holds; may be empty
  InputObserver input_observer = nullptr;  ///< may be empty; else inputs that need not exist as a whole are made whole
  OutputGradientObserver output_gradient_observer = nullptr;  ///< may be empty; else the same

  /// The random stream of a named dropout.
  RandomStream dropout_stream(std::string_view name) const;
};

}  // namespace fixtune
