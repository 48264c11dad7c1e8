#include "quant/row_kernels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "reference.h"

namespace fixtune {
namespace {

TEST(RowKernels, RandomNumbersAreThoseOfTheStream) {
  const RandomStream random({11, 2, 3}, tensor_id("x"));
  // Codes of y = 0.5 with 0..1 are 1 exactly where u < 0.5, for each bit pattern of u's top bit.
  constexpr Index n = 1001;
  const std::vector<float> half(n, 0.5F);
  std::vector<std::int8_t> codes(n);
  row_kernels::quantize_stochastic(half.data(), n, {1.0F, 127.0F}, {random.low(), random.high(), 77}, codes.data());
  for (Index j = 0; j < n; ++j)
    EXPECT_EQ(codes[static_cast<std::size_t>(j)], random.uniform(77 + static_cast<std::uint64_t>(j)) < 0.5F ? 1 : 0);
}

TEST(RowKernels, DitherIsThatOfTheStream) {
  const RandomStream random({11, 2, 3}, tensor_id("x"));
  constexpr Index n = 1001;
  constexpr float scale = 1000.0F;
  const std::vector<float> zero(n, 0.0F);
  std::vector<std::int16_t> at_zero(n);
  row_kernels::quantize_dithered(zero.data(), n, {1.0F, 32767.0F}, random.bits(77), at_zero.data());
  EXPECT_THAT(at_zero, testing::Each(0));
  for (const float x : {0.1F, 0.25F, 0.4999F, -0.3F}) {
    const std::vector<float> values(n, x / scale);
    std::vector<std::int8_t> codes(n);
    std::vector<std::int16_t> scattered(n);
    std::vector<std::int32_t> offsets(n);
    for (Index j = 0; j < n; ++j) offsets[static_cast<std::size_t>(j)] = static_cast<std::int32_t>(n - 1 - j);
    row_kernels::quantize_dithered(values.data(), n, {scale, 127.0F}, random.bits(77), codes.data());
    row_kernels::quantize_dithered_at(values.data(), offsets.data(), n, {scale, 127.0F}, random.bits(77), scattered.data());
    for (Index j = 0; j < n; ++j) {
      const float expected =
          std::nearbyint(values[0] * scale + random.dither(77, static_cast<std::uint32_t>(j)));
      EXPECT_EQ(codes[static_cast<std::size_t>(j)], expected) << j;
      EXPECT_EQ(scattered[static_cast<std::size_t>(n - 1 - j)], expected) << j;
    }
  }
}

TEST(RowKernels, TiesRoundToEven) {
  std::vector<float> x;
  for (int i = -255; i <= 255; ++i) x.push_back(static_cast<float>(i) / 2.0F);
  std::vector<std::int8_t> codes(x.size());
  row_kernels::quantize_nearest(x.data(), static_cast<Index>(x.size()), {1.0F, 127.0F}, codes.data());
  for (std::size_t i = 0; i < x.size(); ++i)
    EXPECT_EQ(codes[i], std::clamp(std::nearbyint(x[i]), -127.0F, 127.0F)) << x[i];
}

TEST(RowKernels, MaxMagnitudeSeesEveryPositionAndEveryNonFinite) {
  for (const Index n : {1, 3, 16, 31, 64, 67})
    for (Index at = 0; at < n; ++at) {
      std::vector<float> x(static_cast<std::size_t>(n), 1e-45F);
      for (const float value : {-3.5F, std::numeric_limits<float>::infinity(), -std::nanf("")}) {
        x[static_cast<std::size_t>(at)] = value;
        EXPECT_EQ(row_kernels::max_magnitude_bits(x.data(), n), std::bit_cast<std::int32_t>(value) & 0x7fffffff);
      }
    }
  EXPECT_EQ(row_kernels::max_magnitude_bits(nullptr, 0), 0);
  const float nan = std::nanf("");
  EXPECT_TRUE(std::isnan(max_magnitude(&nan, 1)));
}

TEST(RowKernels, MaxMagnitudesTellInliersFromTheRest) {
  const auto threshold = std::bit_cast<std::int32_t>(5.0F);
  const auto magnitudes_of = [&](const std::vector<float>& x) {
    std::vector<row_kernels::MagnitudeBits> unused(
        static_cast<std::size_t>(row_kernels::stretches_of(static_cast<Index>(x.size()))));
    return row_kernels::max_magnitudes(x.data(), static_cast<Index>(x.size()), threshold, unused.data());
  };
  std::vector<float> x(67, 0.25F);
  x[66] = -5.0F;  // at the threshold: an inlier
  x[30] = 80.0F;
  EXPECT_EQ(magnitudes_of(x).all, std::bit_cast<std::int32_t>(80.0F));
  EXPECT_EQ(magnitudes_of(x).inliers, threshold);
  x[3] = -std::nanf("");
  EXPECT_GT(magnitudes_of(x).all, row_kernels::infinity_bits);
  EXPECT_EQ(magnitudes_of({9.0F, -8.0F}).inliers, 0);
  EXPECT_EQ(magnitudes_of({}).all, 0);
}

std::vector<std::int32_t> positions_above(const std::vector<float>& x, float threshold) {
  const auto n = static_cast<std::int32_t>(x.size());
  const auto bits = std::bit_cast<row_kernels::MagnitudeBits>(threshold);
  std::vector<row_kernels::MagnitudeBits> largest(static_cast<std::size_t>(row_kernels::stretches_of(n)));
  row_kernels::max_magnitudes(x.data(), n, bits, largest.data());
  std::vector<std::int32_t> positions(x.size());
  positions.resize(
      static_cast<std::size_t>(row_kernels::find_above(x.data(), n, bits, largest.data(), positions.data())));
  return positions;
}

TEST(RowKernels, FindAboveIsStrictAndOrdered) {
  std::vector<float> x(150, 5.0F);
  x[0] = -5.5F;
  x[63] = std::nextafter(5.0F, 6.0F);
  x[64] = -std::nextafter(5.0F, 6.0F);
  x[149] = 100.0F;
  EXPECT_EQ(positions_above(x, 5.0F), (std::vector<std::int32_t>{0, 63, 64, 149}));
}

// Every position, alone and beside others, across the stretches, their blocks and the remainder.
TEST(RowKernels, FindsEveryPositionAboveTheThreshold) {
  for (const std::int32_t n : {1, 31, 33, 128, 131, 400, 512, 1024, 1200})
    for (std::int32_t at = 0; at < n; ++at) {
      std::vector<float> x(static_cast<std::size_t>(n), 5.0F);
      x[static_cast<std::size_t>(at)] = -6.0F;
      x[static_cast<std::size_t>(n - 1)] = 7.0F;
      EXPECT_EQ(positions_above(x, 5.0F), at == n - 1 ? std::vector{n - 1} : (std::vector{at, n - 1}));
      x[static_cast<std::size_t>(n - 1)] = 5.0F;
      if (at != n - 1) {
        EXPECT_EQ(positions_above(x, 5.0F), std::vector{at});
      }
    }
}

// Eq. 3 in long double, on both sides of every boundary.
TEST(RowKernels, SplitsAsEquationThreeSays) {
  for (const float gamma : {5.0F, 3.7F, 0.1F}) {
    std::vector<float> x = {0.0F, 1e6F, -1e6F};
    for (int k = -9; k <= 9; k += 2) {
      const float boundary = static_cast<float>(k) * gamma;
      for (const float v : {std::nextafter(boundary, -1e9F), boundary, std::nextafter(boundary, 1e9F)}) x.push_back(v);
    }
    std::vector<std::int32_t> digits(x.size());
    std::vector<float> rests(x.size());
    row_kernels::split_values(x.data(), static_cast<std::int32_t>(x.size()), gamma, digits.data(), rests.data());
    const long double half = gamma;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const long double k = std::floor((static_cast<long double>(x[i]) + half) / (2 * half));
      EXPECT_EQ(digits[i], static_cast<std::int32_t>(k)) << x[i] << " by " << gamma;
      EXPECT_EQ(rests[i], static_cast<float>(static_cast<long double>(x[i]) - 2 * half * k)) << x[i];
    }
  }
  const float infinity = std::numeric_limits<float>::infinity();
  std::int32_t digit = 7;
  float rest = 0.0F;
  row_kernels::split_values(&infinity, 1, 5.0F, &digit, &rest);
  EXPECT_EQ(digit, 0);
  EXPECT_EQ(rest, infinity);
}

}  // namespace
}  // namespace fixtune
