#include "fixtune/quant/fixed_point_tensor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "reference.h"
#include "on_threads.h"

namespace fixtune {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

std::vector<Format> all_formats() {
  std::vector<Format> formats;
  for (int bits = 2; bits <= 16; ++bits)
    for (const StepKind step : {StepKind::PowerOfTwo, StepKind::FullRange})
      for (const Block block : {Block::Tensor, Block::Row})
        for (const Rounding rounding : {Rounding::Nearest, Rounding::Stochastic, Rounding::Dithered})
          formats.push_back({bits, step, block, rounding});
  return formats;
}

RandomStream stream(std::uint64_t seed = 1) { return {{seed, 2, 3}, tensor_id("x")}; }

std::string error_of(ConstMatrixMap x, const Format& format) {
  try {
    quantize(x, format, stream(), "encoder.weight");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

void expect_specified(ConstMatrixMap x, const Format& format) {
  const RandomStream random = stream();
  const FixedPointTensor q = quantize(x, format, random, "x");
  ASSERT_EQ(q.steps.size(), format.block == Block::Row ? static_cast<std::size_t>(x.rows()) : 1U);
  for (Index r = 0; r < x.rows(); ++r) {
    ASSERT_EQ(q.step(r), reference::step_of_row(x, r, format)) << "bits " << format.bits << " row " << r;
    for (Index c = 0; c < x.cols(); ++c)
      ASSERT_EQ(q.code(r, c), reference::code(x(r, c), q.step(r), format,
                                              reference::number(random, format.rounding, r, c, x.cols())))
          << "bits " << format.bits << " at " << r << ", " << c << " of " << x(r, c);
  }
}

TEST(Quantize, EveryFormatFollowsTheSpecification) {
  for (const auto& [rows, cols] : std::vector<std::pair<Index, Index>>{{1, 1}, {3, 17}, {37, 131}}) {
    const Tensor x = heavy_tailed(rows, cols, 1.7F, 5);
    for (const Format& format : all_formats()) expect_specified(view(x), format);
  }
}

TEST(Quantize, ReadsThroughAnOuterStride) {
  const Tensor whole = heavy_tailed(9, 40, 1.0F, 6);
  const ConstMatrixMap part(whole.data() + 3, 9, 21, Eigen::OuterStride<>(40));
  expect_specified(part, {8, StepKind::FullRange, Block::Row, Rounding::Stochastic});
  expect_specified(part, {8, StepKind::PowerOfTwo, Block::Tensor, Rounding::Nearest});
}

TEST(Quantize, AKnownMagnitudeGivesTheSameCodes) {
  const Tensor x = heavy_tailed(37, 61, 3.0F, 5);
  const float largest = x.map().cwiseAbs().maxCoeff();
  for (const Format& format : all_formats()) {
    if (format.block == Block::Row) {
      EXPECT_THROW(quantize(x.map(), format, largest, stream(), "x"), Error);
      continue;
    }
    const FixedPointTensor all = quantize(x.map(), format, stream(), "x");
    const FixedPointTensor known = quantize(x.map(), format, largest, stream(), "x");
    ASSERT_EQ(known.steps, all.steps);
    for (Index i = 0; i < x.size(); ++i) ASSERT_EQ(known.code(i / 61, i % 61), all.code(i / 61, i % 61)) << i;
  }
}

TEST(Quantize, EmptyTensorsHaveNoCodes) {
  for (const Format& format : all_formats()) {
    EXPECT_EQ(quantize(view(Tensor(0, 7)), format, stream(), "x").bytes(), format.block == Block::Row ? 0U : 4U);
    EXPECT_EQ(quantize(view(Tensor(3, 0)), format, stream(), "x").codes8.size(), 0);
  }
}

TEST(Quantize, NearestIsWithinHalfAStepAndTheOthersWithinOne) {
  const Tensor x = heavy_tailed(23, 65, 3.0F, 7);
  for (const Format& format : all_formats()) {
    if (format.step == StepKind::PowerOfTwo) continue;  // its largest values are clamped
    const FixedPointTensor q = quantize(view(x), format, stream(), "x");
    const Tensor back = dequantize(q);
    const double bound = format.rounding == Rounding::Nearest ? 0.5 : 1.0;
    for (Index r = 0; r < x.rows(); ++r)
      for (Index c = 0; c < x.cols(); ++c)
        ASSERT_LE(std::abs(static_cast<double>(x(r, c)) - back(r, c)),
                  bound * q.step(r) * 1.0001 + 2e-7 * std::abs(x(r, c)));
  }
}

// What a value of 0.3 steps becomes over many streams: 0 or 1, 0.3 in the mean.
TEST(Quantize, DitheringIsUnbiasedForEveryValue) {
  constexpr Index cols = 40;
  constexpr int draws = 4000;
  Tensor x = Tensor::filled(1, cols, 0.3F);
  x(0, 0) = 127.0F;
  std::vector<double> sums(cols, 0.0);
  for (int draw = 0; draw < draws; ++draw) {
    const FixedPointTensor q = quantize(view(x), {8, StepKind::FullRange, Block::Row, Rounding::Dithered},
                                        stream(static_cast<std::uint64_t>(draw)), "x");
    for (Index c = 0; c < cols; ++c) sums[static_cast<std::size_t>(c)] += q.code(0, c);
  }
  EXPECT_EQ(sums[0], 127.0 * draws);
  // Five standard errors of a mean of `draws` such codes.
  const double allowed = 5.0 * std::sqrt(0.3 * 0.7 / draws);
  for (std::size_t c = 1; c < cols; ++c) EXPECT_NEAR(sums[c] / draws, 0.3, allowed) << c;
}

// A thousand values far below half a step: nearest loses their sum, independent numbers miss it by their square root.
TEST(Quantize, SumsOfDitheredCodesStayNearTheSums) {
  constexpr Index cols = 1001;
  Tensor x = Tensor::filled(1, cols, 0.05F);
  x(0, 0) = 127.0F;
  const auto error_of_sum = [&](Rounding rounding, std::uint64_t seed) {
    const FixedPointTensor q = quantize(view(x), {8, StepKind::FullRange, Block::Row, rounding}, stream(seed), "x");
    double sum = 0.0;
    for (Index c = 1; c < cols; ++c) sum += q.code(0, c);
    return std::abs(sum - 50.0);
  };
  EXPECT_NEAR(error_of_sum(Rounding::Nearest, 1), 50.0, 1e-9);
  double stochastic = 0.0, dithered = 0.0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    stochastic += error_of_sum(Rounding::Stochastic, seed) / 100;
    dithered += error_of_sum(Rounding::Dithered, seed) / 100;
    EXPECT_LT(error_of_sum(Rounding::Dithered, seed), 3.0) << seed;
  }
  EXPECT_GT(stochastic, 3.0);
  EXPECT_LT(dithered, 1.5);
}

TEST(Quantize, PowerOfTwoStepsArePowersOfTwo) {
  EXPECT_EQ(step_for(4.0F, 8, StepKind::PowerOfTwo), 0x1p-4F);
  EXPECT_EQ(step_for(7.999F, 8, StepKind::PowerOfTwo), 0x1p-4F);
  EXPECT_EQ(step_for(127.0F, 8, StepKind::FullRange), 1.0F);
  EXPECT_EQ(step_for(0.0F, 8, StepKind::FullRange), 1.0F);
}

TEST(Quantize, TinyAndHugeBlocksStayFinite) {
  const float smallest = std::numeric_limits<float>::min();
  for (const Format& format : all_formats())
    for (const float a : {1e-45F, 1e-38F, smallest, 3e38F, std::numeric_limits<float>::max()}) {
      const float step = step_for(a, format.bits, format.step);
      EXPECT_GE(step, smallest);
      EXPECT_TRUE(std::isfinite(step) && std::isfinite(1.0F / step));
      Tensor x = Tensor::filled(2, 19, a);
      x(0, 3) = 1e-45F;
      x(1, 4) = -0.0F;
      expect_specified(view(x), format);
      // max_code * step may round past the largest float, for that one value only.
      EXPECT_TRUE(a > 3e38F || dequantize(quantize(view(x), format, stream(), "x")).map().allFinite());
    }
}

TEST(Quantize, ZeroRowsHaveStepOneAndDisturbNoOther) {
  Tensor x = heavy_tailed(5, 33, 1.0F, 8);
  x.map().row(2).setZero();
  const Format format{8, StepKind::FullRange, Block::Row, Rounding::Stochastic};
  const FixedPointTensor q = quantize(view(x), format, stream(), "x");
  EXPECT_EQ(q.step(2), 1.0F);
  for (Index c = 0; c < x.cols(); ++c) EXPECT_EQ(q.code(2, c), 0);
  expect_specified(view(x), format);
}

TEST(Quantize, NonFiniteValuesAreNamed) {
  for (const Format& format : all_formats())
    for (const float bad : {std::nanf(""), infinity, -infinity}) {
      Tensor x = heavy_tailed(20, 33, 1.0F, 9);
      x(17, 32) = bad;
      const std::string error = error_of(view(x), format);
      EXPECT_THAT(error, testing::HasSubstr("encoder.weight"));
      EXPECT_THAT(error, testing::HasSubstr("row 17, column 32"));
    }
  EXPECT_THAT(error_of(view(Tensor::zeros(1, 1)), {1}), testing::HasSubstr("1 bits"));
  EXPECT_THAT(error_of(view(Tensor::zeros(1, 1)), {17}), testing::HasSubstr("17 bits"));
}

TEST(Quantize, ThreadsChangeNothing) {
  const Tensor x = heavy_tailed(301, 513, 1.0F, 10);
  for (const Block block : {Block::Tensor, Block::Row}) {
    const Format format{8, StepKind::FullRange, block, Rounding::Stochastic};
    const auto quantized_on = [&](int threads) {
      const OnThreads use(threads);
      return quantize(view(x), format, stream(), "x");
    };
    const FixedPointTensor one = quantized_on(1);
    for (const int threads : {2, 4}) {
      const FixedPointTensor more = quantized_on(threads);
      EXPECT_TRUE(std::equal(one.codes8.begin(), one.codes8.end(), more.codes8.begin()));
      EXPECT_EQ(one.steps, more.steps);
    }
  }
}

TEST(Quantize, StochasticRoundingIsUnbiased) {
  constexpr int rounds = 4000;
  Tensor x(1, 9);
  for (Index c = 0; c < 9; ++c) x(0, c) = static_cast<float>(c) * 1.37F - 5.0F;
  x(0, 0) = 127.0F;
  const Format format{8, StepKind::FullRange, Block::Tensor, Rounding::Stochastic};
  std::vector<double> mean(9, 0.0);
  for (std::uint64_t seed = 0; seed < rounds; ++seed) {
    const FixedPointTensor q = quantize(view(x), format, stream(seed), "x");
    for (Index c = 0; c < 9; ++c) mean[static_cast<std::size_t>(c)] += static_cast<double>(q.code(0, c)) / rounds;
  }
  // Five standard deviations of the mean of a coin.
  for (Index c = 0; c < 9; ++c) EXPECT_NEAR(mean[static_cast<std::size_t>(c)], x(0, c), 2.5 / std::sqrt(rounds));
}

}  // namespace
}  // namespace fixtune
