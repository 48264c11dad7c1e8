#pragma once

#include <string>
#include <vector>

#include "fixtune/train/recipe_list.h"
#include "inspect/figures.h"
#include "program/measured_text.h"

namespace fixtune::inspect {

/// What is measured.
struct Question {
  RecipeMap recipes;                ///< under which inputs, weights and gradients are shown
  std::vector<NamedRecipes> others; ///< whose products are set beside
};

/// What one forward and backward of a model on real text shows of the encoder's linear layers.
struct Inspection {
  std::vector<InputFigures> inputs;
  std::vector<LayerFigures> layers;
};

/// Runs an FP32 model forward and backward, dropout off, and measures what its linear layers read. Heads stay in FP32 and
/// are left out.
Inspection inspect(const program::MeasuredModel& model, const program::MeasuredText& text, const Question& question);

}  // namespace fixtune::inspect
