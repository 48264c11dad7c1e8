#pragma once

#include <string>
#include <vector>

#include "inspect/inspection.h"

namespace fixtune::inspect {

/// What a layer may be given, the cheapest first.
struct Candidate {
  std::string name;
  Json recipe;  ///< as a recipe file writes it for a layer
};

/// `rowwise` with gamma 5, 2 and 1 (finer steps, more outliers), and `bf16`.
const std::vector<Candidate>& candidates();

/// The candidates' recipes, for Question::others.
std::vector<NamedRecipes> candidate_recipes();

/// A recipe for each layer: the cheapest candidate whose product's error is at most `tolerance`, else the last.
struct Proposal {
  std::vector<std::string> choices;  ///< by layer, a candidate's name
  Json recipe_file;                  ///< for `finetune --recipe`: the commonest choice, and the layers that differ
};

Proposal propose(const Inspection& inspection, double tolerance);

}  // namespace fixtune::inspect
