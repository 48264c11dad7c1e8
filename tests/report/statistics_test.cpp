#include "fixtune/report/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace fixtune {
namespace {

TEST(Statistics, OfASampleCountedByHand) {
  const std::vector<double> values{2, 4, 4, 4, 5, 5, 7, 9};  // squares around the mean 5 sum to 32
  EXPECT_DOUBLE_EQ(*mean(values), 5.0);
  EXPECT_DOUBLE_EQ(*standard_deviation(values), std::sqrt(32.0 / 7.0));
  EXPECT_DOUBLE_EQ(*standard_error(values), std::sqrt(32.0 / 7.0 / 8.0));
}

TEST(Statistics, OneValueHasNoSpreadAndNoneHasNoMean) {
  const std::vector<double> one{3.5};
  EXPECT_DOUBLE_EQ(*mean(one), 3.5);
  EXPECT_FALSE(standard_deviation(one));
  EXPECT_FALSE(standard_error(one));
  EXPECT_FALSE(mean({}));
}

}  // namespace
}  // namespace fixtune
