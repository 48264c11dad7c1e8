#pragma once

#include <string>
#include <vector>

#include "ablate/encoder_run.h"
#include "fixtune/io/json.h"
#include "fixtune/train/recipe_list.h"

namespace fixtune::ablate {

/// How far one recipe's run is from FP32; root mean squares over the draws of stochastic rounding.
struct RecipeFigures {
  std::string name, group;
  Json recipe;
  Index draws = 1;
  double hidden_error = 0.0;           ///< last hidden states, relative
  double gradient_error = 0.0;         ///< all encoder gradients together, relative
  double mean_gradient_error = 0.0;    ///< of the gradients averaged over the draws: what does not average out
  double worst_cosine = 1.0;           ///< least over weight matrices and draws
  std::string worst_matrix;
  double loss = 0.0;                   ///< mean over the draws
};

/// Runs a recipe, `draws` times where it rounds stochastically, against the FP32 run of the same text.
RecipeFigures measure(const program::MeasuredText& text, const NamedRecipes& recipes, Index draws,
                      const EncoderRun& fp32);

Json to_json(const RecipeFigures& figures);

/// One table a group, in the order the groups first appear.
std::string markdown(const std::vector<RecipeFigures>& figures);

/// Both errors of every recipe, by group, on a logarithmic axis.
std::string plot(const std::vector<RecipeFigures>& figures, const std::string& title);

}  // namespace fixtune::ablate
