#pragma once

#include "fixtune/core/aligned_buffer.h"

namespace fixtune::detail {

/// How fast this process's last steps were, the older the less they weigh (of one twenty steps ago a third is left): a
/// run that was paused, or goes on elsewhere, soon shows the speed it has now.
class RecentSpeed {
 public:
  /// Adds a step.
  void add(double seconds, Index tokens) {
    constexpr double kept = 0.95;
    seconds_ = kept * seconds_ + seconds;
    tokens_ = kept * tokens_ + static_cast<double>(tokens);
    steps_ = kept * steps_ + 1.0;
  }

  double tokens_per_second() const { return seconds_ > 0.0 ? tokens_ / seconds_ : 0.0; }  ///< 0 before the first step
  double seconds_per_step() const { return steps_ > 0.0 ? seconds_ / steps_ : 0.0; }      ///< 0 before the first step

 private:
  double seconds_ = 0.0, tokens_ = 0.0, steps_ = 0.0;
};

}  // namespace fixtune::detail
