#include "fixtune/optim/schedule.h"

#include <gtest/gtest.h>

#include <cmath>

#include "fixtune/core/error.h"
#include "operation_fixtures.h"

namespace fixtune {
namespace {

TEST(LinearSchedule, EqualsTheFormulaOfTransformers) {
  for (const auto& f : test::operation_fixture("schedule")) {
    const auto rates = f["rates"].get<std::vector<double>>();
    for (std::size_t step = 0; step < rates.size(); ++step) {
      const float rate = linear_schedule(static_cast<Index>(step), f["warmup"].get<Index>(), f["total"].get<Index>(),
                                         f["peak"].get<float>());
      EXPECT_NEAR(rate, rates[step], 1e-11) << f["warmup"] << " of " << f["total"] << ", step " << step;
    }
  }
}

TEST(LinearSchedule, IsFiniteEverywhere) {
  for (Index step = 0; step < 5; ++step)
    for (Index warmup = 0; warmup < 5; ++warmup)
      for (Index total = 0; total < 5; ++total) {
        const float rate = linear_schedule(step, warmup, total, 1.0F);
        EXPECT_TRUE(rate >= 0.0F && rate <= 1.0F) << step << " " << warmup << " " << total;
      }
  EXPECT_EQ(linear_schedule(0, 0, 10, 0.0F), 0.0F);
}

TEST(WarmupSteps, AreAShareBelowOneAndANumberFromThere) {
  EXPECT_EQ(warmup_steps(0.0, 10), 0);
  EXPECT_EQ(warmup_steps(0.06, 10), 1);
  EXPECT_EQ(warmup_steps(0.5, 10), 5);
  EXPECT_EQ(warmup_steps(0.999, 10), 10);
  EXPECT_EQ(warmup_steps(1.0, 10), 1);
  EXPECT_EQ(warmup_steps(10.0, 10), 10);
  EXPECT_EQ(warmup_steps(25.0, 10), 25);
  EXPECT_EQ(warmup_steps(0.5, 0), 0);
  for (const double bad : {-0.1, 1.5, 1e300, std::nan(""), HUGE_VAL}) EXPECT_THROW(warmup_steps(bad, 10), Error) << bad;
}

TEST(LinearSchedule, TrainsUntilTheLastStep) {
  EXPECT_GT(linear_schedule(9, 0, 10, 1.0F), 0.0F);
  EXPECT_EQ(linear_schedule(10, 0, 10, 1.0F), 0.0F);
  EXPECT_EQ(linear_schedule(0, 0, 1, 1.0F), 1.0F);
}

}  // namespace
}  // namespace fixtune
