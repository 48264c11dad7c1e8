#pragma once

#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "step/batches.h"
#include "step/options.h"
#include "step/trainer.h"

namespace fixtune::bench {

/// One that takes its turn, and what its steps took.
struct Turn {
  std::string name;
  std::unique_ptr<Trainer> trainer;
  RecipeTrainer* own = nullptr;  ///< null for rivals
  std::vector<StepTimes> times;
  std::vector<double> seconds_per_token;
  std::vector<double> bytes_asked;  ///< of the system, by steps of this process

  /// Median of each part.
  StepTimes medians() const;
  double median_step() const;
};

/// The parts of a --rival. Throws Error unless it is NAME=COMMAND.
std::pair<std::string, std::string> name_and_command(const std::string& rival);

/// A turn for each recipe.
std::vector<Turn> recipe_turns(const StepOptions& options, const std::vector<std::string>& recipes);
/// A turn for each rival, whose program is started.
std::vector<Turn> rival_turns(const StepOptions& options);

/// The batches that the options describe, from the first.
BatchSource batches(const StepOptions& options);

/// A round per iteration of `state`, each on a new batch and begun by another; `warmup` steps each before.
///
/// Recipes that share this process also share the buffers it keeps, and would find those of the one before: so each
/// makes its step twice and the second counts, as in a run of that recipe alone.
void take_turns(benchmark::State& state, std::vector<Turn>& turns, const BatchSource& next, Index warmup);

}  // namespace fixtune::bench
