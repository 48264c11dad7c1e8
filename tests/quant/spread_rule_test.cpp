// Gamma counted in root mean squares: of the activation, or of each row.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <tuple>

#include "fixtune/quant/outlier_split.h"

namespace fixtune {
namespace {

/// Normal rows, each 10 times as large as the one before, a value of 8 of its units in every row.
Tensor growing_rows() {
  std::mt19937 generator(31);
  std::normal_distribution<float> normal;
  Tensor x(4, 200);
  for (Index r = 0; r < x.rows(); ++r) {
    const auto unit = std::pow(10.0F, static_cast<float>(r - 2));
    for (Index c = 0; c < x.cols(); ++c) x(r, c) = unit * std::clamp(normal(generator), -3.0F, 3.0F);
    x(r, 17 * r) = -8.0F * unit;
  }
  return x;
}

Recipe with_rule(GammaRule rule, float gamma) {
  Recipe recipe;
  recipe.gamma_rule = rule;
  recipe.gamma = gamma;
  return recipe;
}

TEST(SpreadRule, EachRowFindsItsOwnOutliers) {
  const Tensor x = growing_rows();
  const QuantizedActivation q = quantize_activation(x, with_rule(GammaRule::RowRms, 5.0F), {}, "x");
  ASSERT_EQ(q.digits.size(), 4U);
  for (Index r = 0; r < 4; ++r) {
    EXPECT_EQ(std::tuple(q.digits[static_cast<std::size_t>(r)].row, q.digits[static_cast<std::size_t>(r)].column),
              std::tuple(r, 17 * r));
    // The rest of the row keeps a step for its own 3 units.
    EXPECT_LT(q.inliers.step(r), 6.5 / 127.0 * std::pow(10.0, r - 2));
  }
  EXPECT_EQ(q.digit_unit, 254);
  EXPECT_EQ(q.statistics.outliers, 4);
  EXPECT_EQ(q.statistics.largest, 80.0F);
  EXPECT_EQ(q.statistics.step, q.inliers.step(3));
}

TEST(SpreadRule, RowsComeBackToHalfAStep) {
  const Tensor x = growing_rows();
  for (const GammaRule rule : {GammaRule::RowRms, GammaRule::TensorRms}) {
    const QuantizedActivation q = quantize_activation(x, with_rule(rule, 1.5F), {}, "x");
    const Tensor back = dequantize(q);
    for (Index r = 0; r < x.rows(); ++r)
      for (Index c = 0; c < x.cols(); ++c)
        ASSERT_LE(std::abs(back(r, c) - x(r, c)), 0.5001F * q.inliers.step(r) + 1e-6F * std::abs(x(r, c)));
  }
}

TEST(SpreadRule, TheTensorsSpreadIsAFixedGamma) {
  const Tensor x = growing_rows();
  double squares = 0.0;
  for (Index i = 0; i < x.size(); ++i) squares += static_cast<double>(x.data()[i]) * x.data()[i];
  Recipe fixed;
  fixed.gamma = 1.5F * static_cast<float>(std::sqrt(squares / static_cast<double>(x.size())));
  for (const char* base : {"rowwise", "approach1", "approach2"}) {
    Recipe by_rule = preset(base);
    by_rule.gamma_rule = GammaRule::TensorRms;
    by_rule.gamma = 1.5F;
    Recipe expected = preset(base);
    expected.gamma = fixed.gamma;
    const QuantizedActivation a = quantize_activation(x, by_rule, {}, "x");
    const QuantizedActivation b = quantize_activation(x, expected, {}, "x");
    EXPECT_EQ(a.inliers.steps, b.inliers.steps);
    EXPECT_EQ(a.digits.size(), b.digits.size());
    EXPECT_TRUE(std::equal(a.inliers.codes8.begin(), a.inliers.codes8.end(), b.inliers.codes8.begin()));
  }
}

/// The codes of one row alone, by a fixed gamma of so many of its root mean squares.
QuantizedActivation by_fixed_gamma(const Tensor& x, Index row, float gamma) {
  double squares = 0.0;
  for (Index c = 0; c < x.cols(); ++c) squares += static_cast<double>(x(row, c)) * x(row, c);
  const auto rms = static_cast<float>(std::sqrt(squares / static_cast<double>(x.cols())));
  const ConstMatrixMap one(x.data() + row * x.cols(), 1, x.cols(), Eigen::OuterStride<>(x.cols()));
  return quantize_activation(one, with_rule(GammaRule::Fixed, gamma * rms), {}, "x");
}

TEST(SpreadRule, ARowsSpreadIsItsFixedGamma) {
  const Tensor x = growing_rows();
  const QuantizedActivation q = quantize_activation(x, with_rule(GammaRule::RowRms, 2.0F), {}, "x");
  std::size_t digit = 0;
  for (Index r = 0; r < x.rows(); ++r) {
    const QuantizedActivation row = by_fixed_gamma(x, r, 2.0F);
    ASSERT_FLOAT_EQ(q.inliers.step(r), row.inliers.step(0)) << r;  // squares are added as floats
    EXPECT_TRUE(std::equal(row.inliers.codes8.begin(), row.inliers.codes8.end(), q.inliers.codes8.data() + r * x.cols()));
    for (const SparseDigit& d : row.digits) {
      ASSERT_LT(digit, q.digits.size());
      EXPECT_EQ(std::tuple(q.digits[digit].row, q.digits[digit].column, q.digits[digit].digit),
                std::tuple(static_cast<std::int32_t>(r), d.column, d.digit));
      ++digit;
    }
  }
  EXPECT_EQ(digit, q.digits.size());
  EXPECT_GT(digit, 4U);
}

TEST(SpreadRule, RowsMadeOnTheWayGiveTheSame) {
  const Tensor x = growing_rows();
  const RowProducer copy = [&](Index begin, Index end, float* rows) {
    std::copy_n(x.data() + begin * x.cols(), (end - begin) * x.cols(), rows);
  };
  for (const GammaRule rule : {GammaRule::RowRms, GammaRule::TensorRms}) {
    const Recipe recipe = with_rule(rule, 2.0F);
    EXPECT_EQ(quantises_each_row_alone(recipe), rule == GammaRule::RowRms);
    const QuantizedActivation a = quantize_activation(x, recipe, {}, "x");
    const QuantizedActivation b = quantize_activation(x.rows(), x.cols(), copy, recipe, {}, "x");
    EXPECT_EQ(a.inliers.steps, b.inliers.steps);
    EXPECT_EQ(a.digits.size(), b.digits.size());
    EXPECT_TRUE(std::equal(a.inliers.codes8.begin(), a.inliers.codes8.end(), b.inliers.codes8.begin()));
  }
}

TEST(SpreadRule, EmptySpreadAndBadValues) {
  Tensor x = Tensor::zeros(3, 10);
  for (const GammaRule rule : {GammaRule::RowRms, GammaRule::TensorRms}) {
    EXPECT_TRUE(quantize_activation(x, with_rule(rule, 5.0F), {}, "x").digits.empty());
    Tensor bad = growing_rows();
    bad(1, 3) = std::numeric_limits<float>::infinity();
    EXPECT_THAT([&] { quantize_activation(bad, with_rule(rule, 5.0F), {}, "x"); },
                testing::ThrowsMessage<Error>(testing::HasSubstr("row 1, column 3")));
  }
}

}  // namespace
}  // namespace fixtune
