#pragma once

#include <optional>
#include <string>
#include <vector>

#include "fixtune/core/aligned_buffer.h"

namespace fixtune {

/// A sentence or pair with its label: a class number, or a score.
struct Example {
  std::string text;                 ///< the sentence, or the first of a pair
  std::optional<std::string> pair;  ///< the second of a pair; none: a single sentence
  float label = 0;                  ///< place in Dataset::label_names, or a score; 0 where the file has no labels
  Index line = 0;                   ///< where it starts in its file, from 1
};

/// The examples of one file, in its order.
struct Dataset {
  std::string path;                      ///< of the file, for messages
  std::vector<std::string> label_names;  ///< in class order; empty for regression
  std::vector<Example> examples;         ///< one a row
};

}  // namespace fixtune
