#include "fixtune/core/random.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <set>

namespace fixtune {
namespace {

constexpr std::uint64_t draws = 1 << 16;

double mean_of(const RandomStream& random) {
  double sum = 0.0;
  for (std::uint64_t i = 0; i < draws; ++i) sum += random.uniform(i);
  return sum / draws;
}

TEST(Random, UniformHasTheMeanAndVarianceOfUniform) {
  const RandomStream random({3, 4, 5}, 6);
  double squares = 0.0;
  for (std::uint64_t i = 0; i < draws; ++i) {
    const double u = random.uniform(i);
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    squares += (u - 0.5) * (u - 0.5);
  }
  // Five standard errors: sqrt(1/12/n) of the mean, sqrt(1/180/n) of the variance.
  EXPECT_NEAR(mean_of(random), 0.5, 5.0 * std::sqrt(1.0 / 12.0 / draws));
  EXPECT_NEAR(squares / draws, 1.0 / 12.0, 5.0 * std::sqrt(1.0 / 180.0 / draws));
}

TEST(Random, StreamsOfNeighbouringKeysAreUncorrelated) {
  const RandomStream base({1, 2, 3}, 4);
  for (const RandomStream& other : {RandomStream({2, 2, 3}, 4), RandomStream({1, 3, 3}, 4), RandomStream({1, 2, 4}, 4),
                                    RandomStream({1, 2, 3}, 5)}) {
    double product = 0.0;
    for (std::uint64_t i = 0; i < draws; ++i) product += (base.uniform(i) - 0.5) * (other.uniform(i) - 0.5);
    EXPECT_NEAR(product / draws, 0.0, 5.0 / 12.0 / std::sqrt(static_cast<double>(draws)));
  }
}

TEST(Random, NeighbouringElementsAreUncorrelated) {
  const RandomStream random({1, 2, 3}, 4);
  for (const std::uint64_t distance : {1ULL, 2ULL, 768ULL, 1ULL << 32}) {
    double product = 0.0;
    for (std::uint64_t i = 0; i < draws; ++i)
      product += (random.uniform(i) - 0.5) * (random.uniform(i + distance) - 0.5);
    EXPECT_NEAR(product / draws, 0.0, 5.0 / 12.0 / std::sqrt(static_cast<double>(draws))) << distance;
  }
}

TEST(Random, NamesGiveDifferentStreams) {
  std::set<std::uint64_t> ids;
  for (const char* name : {"", "a", "b", "ab", "ba", "encoder.layer.0/x", "encoder.layer.0/w", "encoder.layer.1/x"})
    ids.insert(tensor_id(name));
  EXPECT_EQ(ids.size(), 8U);
}

}  // namespace
}  // namespace fixtune
