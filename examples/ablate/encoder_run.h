#pragma once

#include <string>
#include <vector>

#include "program/measured_text.h"

namespace fixtune::ablate {

/// A parameter's gradient in one run.
struct NamedGradient {
  std::string name;
  Tensor value;
};

/// One forward and backward of the model, dropout off.
struct EncoderRun {
  Tensor hidden;                         ///< last hidden states `[tokens, hidden]`
  double loss = 0.0;                     ///< of the head, mean over the examples
  std::vector<NamedGradient> gradients;  ///< of every parameter of the encoder's blocks
};

/// Runs the model under those recipes; `draw` keys stochastic rounding.
EncoderRun run_encoder(const program::MeasuredText& text, const RecipeMap& recipes, std::uint64_t draw);

/// True where a run depends on `draw`.
bool is_stochastic(const RecipeMap& recipes);

}  // namespace fixtune::ablate
