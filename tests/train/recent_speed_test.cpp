#include "train/recent_speed.h"

#include <gtest/gtest.h>

namespace fixtune::detail {
namespace {

TEST(RecentSpeed, IsZeroBeforeTheFirstStep) {
  EXPECT_EQ(RecentSpeed().tokens_per_second(), 0.0);
  EXPECT_EQ(RecentSpeed().seconds_per_step(), 0.0);
}

TEST(RecentSpeed, IsTheMeanOfStepsAlike) {
  RecentSpeed speed;
  for (int i = 0; i < 7; ++i) speed.add(0.5, 100);
  EXPECT_DOUBLE_EQ(speed.tokens_per_second(), 200.0);
  EXPECT_DOUBLE_EQ(speed.seconds_per_step(), 0.5);
}

TEST(RecentSpeed, ForgetsAPause) {
  RecentSpeed speed;
  for (int i = 0; i < 1000; ++i) speed.add(1.0, 10);
  speed.add(3600.0, 10);
  EXPECT_GT(speed.seconds_per_step(), 100.0);
  for (int i = 0; i < 200; ++i) speed.add(1.0, 10);
  EXPECT_NEAR(speed.seconds_per_step(), 1.0, 0.01);
  EXPECT_NEAR(speed.tokens_per_second(), 10.0, 0.1);
}

}  // namespace
}  // namespace fixtune::detail
