// What the lane kernels' files have in common, in the vectors of this file's own instruction set.
#define FIXTUNE_LANES_NAMESPACE baseline_test
#include "autograd/lanes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace fixtune::detail::baseline_test {
namespace {

float power_of(float x) { return power_of_two(splat(x))[0]; }

double error_at(float x) {
  const double exact = std::exp2(static_cast<double>(x));
  return std::fabs(static_cast<double>(power_of(x)) - exact) / exact;
}

TEST(PowerOfTwo, IsAsCloseAsItSays) {
  double worst = 0.0;
  for (float x = -126.0F; x <= 127.0F; x += 0.0007F) worst = std::max(worst, error_at(x));
  for (float x = -0.5F; x <= 0.5F; x += 1e-6F) worst = std::max(worst, error_at(x));
  EXPECT_LE(worst, 2e-7);
  EXPECT_GE(worst, 5e-8);  // or nothing was looked at
}

TEST(PowerOfTwo, IsExactForWholeNumbers) {
  for (int n = -126; n <= 127; ++n) EXPECT_EQ(power_of(static_cast<float>(n)), std::ldexp(1.0F, n)) << n;
}

TEST(PowerOfTwo, KeepsNaN) { EXPECT_TRUE(std::isnan(power_of(std::numeric_limits<float>::quiet_NaN()))); }

TEST(Folded, TakesEveryLaneOnce) {
  float lane[sum_lanes];
  Vector part[sum_vectors];
  for (int l = 0; l < sum_lanes; ++l) {
    for (int other = 0; other < sum_lanes; ++other) lane[other] = other == l ? 3.0F : 0.0F;
    for (int v = 0; v < sum_vectors; ++v) part[v] = load(lane + v * width);
    EXPECT_EQ(folded(part, [](Quad a, Quad b) { return a + b; }), 3.0F) << l;
    EXPECT_EQ(folded(part, [](Quad a, Quad b) { return b > a ? b : a; }), 3.0F) << l;
  }
}

}  // namespace
}  // namespace fixtune::detail::baseline_test
