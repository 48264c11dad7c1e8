#pragma once

#include <functional>
#include <string_view>

#include "fixtune/core/random.h"
#include "fixtune/core/workspace.h"
#include "fixtune/quant/outlier_split.h"

namespace fixtune {

/// Told, once a forward, what a linear layer's input holds; called on the calling thread.
using LinearObserver = std::function<void(std::string_view layer, const OutlierStatistics&)>;

/// What a linear layer's functions need besides numbers.
struct LinearContext {
  std::string_view name = "linear";  ///< of the layer: for errors, and for its own random streams
  RandomKey random{};                ///< of stochastic and dithered rounding: another step, other numbers
  bool save = true;                  ///< false (inference): nothing is kept for a backward
  LinearObserver observer{};  ///< shown what each forward's input holds; may be empty
  /// Where all memory comes from, that of the results too; null: the calling thread's (UseWorkspace), or the process's.
  Workspace* workspace = nullptr;

  /// The layer's own random stream for one of its tensors ("x", "w", "dy.dx", ...).
  RandomStream stream(std::string_view tensor) const;
  /// Of one of its tensors in errors: "NAME.TENSOR".
  WorkspaceString name_of(std::string_view tensor) const;
};

}  // namespace fixtune
