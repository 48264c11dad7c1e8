#pragma once

#include <optional>
#include <string>
#include <vector>

#include "fixtune/core/aligned_buffer.h"

namespace fixtune {

/// A sentence or pair with its label: a class number, or a score.
struct Example {
  std::string text;
  std::optional<std::string> pair;
  float label = 0;
  Index line = 0;  ///< where it starts in its file, from 1
};

/// The examples of one file, in its order.
struct Dataset {
  std::string path;
  std::vector<std::string> label_names;  ///< in class order; empty for regression
  std::vector<Example> examples;
};

}  // namespace fixtune
