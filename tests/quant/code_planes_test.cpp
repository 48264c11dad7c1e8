#include "fixtune/quant/code_planes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "fixtune/core/error.h"

namespace fixtune {
namespace {

/// Normal values, every 29th times 12.
Tensor with_outliers(Index rows, Index cols) {
  std::mt19937 generator(5);
  std::normal_distribution<float> normal;
  Tensor x(rows, cols);
  for (Index i = 0; i < x.size(); ++i) x.data()[i] = normal(generator) * (i % 29 == 0 ? 12.0F : 1.0F);
  return x;
}

double value(const CodePlanes& p, Index r, Index c) {
  const double high = p.high.empty() ? 0.0 : static_cast<double>(p.high.unit) * p.high.codes[r * p.low.cols + c];
  return p.low.step(r) * (p.low.code(r, c) + high);
}

TEST(CodePlanes, JoinToEveryWideCode) {
  FixedPointTensor wide;
  wide.rows = 1;
  wide.cols = 4095;
  wide.format.bits = 12;
  wide.steps = {1.0F};
  wide.codes16 = AlignedBuffer<std::int16_t>(wide.cols);
  for (Index i = 0; i < wide.cols; ++i) wide.codes16[i] = static_cast<std::int16_t>(i - 2047);
  const CodePlanes planes = planes_of(wide);
  EXPECT_EQ(planes.high.unit, 64.0F);
  for (Index i = 0; i < wide.cols; ++i) {
    ASSERT_EQ(planes.low.codes8[i] + 64 * planes.high.codes[i], wide.codes16[i]);
    ASSERT_LE(std::abs(planes.low.codes8[i]), 32);
    ASSERT_LE(std::abs(planes.high.codes[i]), 32);
  }
}

TEST(CodePlanes, OnePlaneIsPlainQuantisation) {
  const Tensor x = with_outliers(7, 90);
  const RandomStream random({1, 2, 3}, 4);
  const Format format{6, StepKind::PowerOfTwo, Block::Tensor, Rounding::Stochastic};
  const CodePlanes planes = quantize_in_planes(x, format, 0.0F, random, "w");
  const FixedPointTensor plain = quantize(x, format, random, "w");
  EXPECT_TRUE(planes.high.empty());
  EXPECT_EQ(planes.low.steps, plain.steps);
  EXPECT_TRUE(std::equal(plain.codes8.begin(), plain.codes8.end(), planes.low.codes8.begin()));
}

/// Every value comes back to half a step, and what is no outlier has a step that outliers do not widen.
TEST(CodePlanes, SplitOutliersKeepTheOthersPrecision) {
  const Tensor x = with_outliers(11, 290);
  for (const Block block : {Block::Row, Block::Tensor}) {
    const Format format{8, StepKind::FullRange, block, Rounding::Nearest};
    const CodePlanes planes = quantize_in_planes(x, format, 2.0F, {}, "w");
    const FixedPointTensor plain = quantize(x, format, {}, "w");
    ASSERT_FALSE(planes.high.empty());
    EXPECT_EQ(planes.high.unit, 254.0F);
    for (Index r = 0; r < x.rows(); ++r) {
      EXPECT_LT(planes.low.step(r), 0.6F * plain.step(r));
      for (Index c = 0; c < x.cols(); ++c)
        ASSERT_LE(std::abs(value(planes, r, c) - x(r, c)), 0.5001 * planes.low.step(r) + 1e-6 * std::abs(x(r, c)));
    }
  }
}

TEST(CodePlanes, NothingToSplitTakesOnePlane) {
  EXPECT_TRUE(quantize_in_planes(Tensor::filled(3, 8, 0.5F), {}, 4.0F, {}, "w").high.empty());
  EXPECT_TRUE(quantize_in_planes(Tensor::zeros(3, 8), {}, 4.0F, {}, "w").high.empty());
}

TEST(CodePlanes, NonFiniteValuesAreNamed) {
  Tensor x = with_outliers(3, 20);
  x(2, 4) = std::nanf("");
  for (const float above : {0.0F, 2.0F})
    EXPECT_THAT([&] { quantize_in_planes(x, {}, above, {}, "ffn.weight"); },
                testing::ThrowsMessage<Error>(
                    testing::AllOf(testing::HasSubstr("ffn.weight"), testing::HasSubstr("row 2, column 4"))));
}

}  // namespace
}  // namespace fixtune
