#include "fixtune/optim/schedule.h"

#include <algorithm>

namespace fixtune {

float linear_schedule(Index step, Index warmup, Index total, float peak) {
  const auto ratio = [](Index a, Index b) { return static_cast<double>(a) / static_cast<double>(std::max<Index>(1, b)); };
  const double share =
      step < warmup ? std::max(0.0, ratio(step, warmup)) : std::clamp(ratio(total - step, total - warmup), 0.0, 1.0);
  return static_cast<float>(static_cast<double>(peak) * share);
}

}  // namespace fixtune
