#pragma once

#include "fixtune/data/squad.h"

namespace fixtune::program {

/// Keeps the contexts of the questions that are left: the others would be tokenised for nothing.
void drop_unused_contexts(SquadDataset& data);

}  // namespace fixtune::program
