#include <gmock/gmock.h>

#include <vector>

#include "fixtune/core/random.h"
#include "fixtune/gemm/integer_product.h"

namespace fixtune {
namespace {

std::vector<std::int16_t> random_codes(Index count, std::uint64_t seed) {
  std::vector<std::int16_t> codes(static_cast<std::size_t>(count));
  const RandomStream random({seed, 0, 0}, 2);
  for (std::size_t i = 0; i < codes.size(); ++i)
    codes[i] = static_cast<std::int16_t>(static_cast<int>(random.bits(i) % 4095U) - 2047);
  return codes;
}

std::vector<std::int64_t> expected_product(const std::vector<std::int16_t>& a,
                                           const std::vector<std::int16_t>& b, Index m, Index n, Index k) {
  std::vector<std::int64_t> c;
  for (Index row = 0; row < m; ++row)
    for (Index col = 0; col < n; ++col) {
      std::int64_t sum = 0;
      for (Index i = 0; i < k; ++i)
        sum +=
            std::int64_t{a[static_cast<std::size_t>(row * k + i)]} * b[static_cast<std::size_t>(col * k + i)];
      c.push_back(sum);
    }
  return c;
}

std::vector<std::int64_t> product(const std::vector<std::int16_t>& a, const std::vector<std::int16_t>& b,
                                  Index m, Index n, Index k) {
  std::vector<std::int64_t> c(static_cast<std::size_t>(m * n));
  integer_product_12bit(a.data(), b.data(), m, n, k, c.data());
  return c;
}

TEST(DigitProduct, EqualsAWideEvaluation) {
  struct Shape {
    Index m, n, k;
  };
  for (const Shape s : {Shape{1, 1, 1}, {7, 5, 3}, {300, 11, 65}, {33, 40, 768}, {5, 6, 3072}}) {
    const auto a = random_codes(s.m * s.k, 1);
    const auto b = random_codes(s.n * s.k, 2);
    EXPECT_EQ(product(a, b, s.m, s.n, s.k), expected_product(a, b, s.m, s.n, s.k));
  }
}

TEST(DigitProduct, DoesNotWrapPast32Bits) {
  for (const Index k : {Index{513}, Index{768}, Index{3072}}) {
    const std::vector<std::int16_t> a(static_cast<std::size_t>(2 * k), 2047);
    EXPECT_THAT(product(a, a, 2, 2, k), testing::Each(2047 * 2047 * k));
  }
  const std::vector<std::int16_t> a(513, 2047);
  EXPECT_THAT(product(a, a, 1, 1, 513), testing::ElementsAre(2149577217));
}

TEST(DigitProduct, EveryCodeIsSplitRight) {
  std::vector<std::int16_t> a;
  for (int q = -2047; q <= 2047; ++q) a.push_back(static_cast<std::int16_t>(q));
  const std::vector<std::int16_t> one{1};
  const std::vector<std::int64_t> expected(a.begin(), a.end());
  EXPECT_EQ(product(a, one, 4095, 1, 1), expected);
}

TEST(DigitProduct, EmptyContractionGivesZeros) { EXPECT_THAT(product({}, {}, 2, 2, 0), testing::Each(0)); }

TEST(DigitProduct, RefusesCodesPast12Bits) {
  EXPECT_THROW(product({2048}, {1}, 1, 1, 1), Error);
  EXPECT_THROW(product({1}, {-2048}, 1, 1, 1), Error);
}

}  // namespace
}  // namespace fixtune
