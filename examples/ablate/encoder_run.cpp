#include "ablate/encoder_run.h"

#include <algorithm>

namespace fixtune::ablate {
namespace {

bool is_stochastic(const Recipe& recipe) {
  const auto draws = [](const Format& format) { return format.rounding != Rounding::Nearest; };
  return recipe.arithmetic == Arithmetic::Integer &&
         (draws(recipe.format_x()) || draws(recipe.format_dx()) || draws(recipe.format_dw()));
}

}  // namespace

EncoderRun run_encoder(const program::MeasuredText& text, const RecipeMap& recipes, std::uint64_t draw) {
  const program::MeasuredModel model = text.open(recipes);
  EncoderRun run;
  const RandomKey random{text.seed, draw, 0};
  {
    Tape tape(/*recording=*/false);
    Pass pass{tape, random, /*training=*/false, {}};
    run.hidden = model.encoder->encode(pass, text.batch).value();
  }
  Tape tape;
  Pass pass{tape, random, /*training=*/false, {}};
  const Variable loss = model.loss(pass);
  run.loss = loss.value()(0, 0);
  tape.backward(loss);
  for (const Parameter& p : model.encoder->parameters())
    if (p.variable.name().starts_with("encoder.")) run.gradients.push_back({p.variable.name(), p.variable.grad()});
  return run;
}

bool is_stochastic(const RecipeMap& recipes) {
  return is_stochastic(recipes.fallback) ||
         std::any_of(recipes.layers.begin(), recipes.layers.end(),
                     [](const auto& layer) { return is_stochastic(layer.second); });
}

}  // namespace fixtune::ablate
