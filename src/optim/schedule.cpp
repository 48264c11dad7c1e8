#include "fixtune/optim/schedule.h"

#include <algorithm>
#include <cmath>

#include "fixtune/core/error.h"

namespace fixtune {

float linear_schedule(Index step, Index warmup, Index total, float peak) {
  const auto ratio = [](Index a, Index b) { return static_cast<double>(a) / static_cast<double>(std::max<Index>(1, b)); };
  const double share =
      step < warmup ? std::max(0.0, ratio(step, warmup)) : std::clamp(ratio(total - step, total - warmup), 0.0, 1.0);
  return static_cast<float>(static_cast<double>(peak) * share);
}

Index warmup_steps(double warmup, Index total) {
  if (!(warmup >= 0.0 && warmup <= 0x1p53) || (warmup > 1.0 && warmup != std::floor(warmup)))
    fail("a warm-up of {} is neither a share of the steps below 1 nor a number of steps", warmup);
  return static_cast<Index>(warmup < 1.0 ? std::ceil(warmup * static_cast<double>(total)) : warmup);
}

}  // namespace fixtune
