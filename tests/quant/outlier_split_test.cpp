#include "fixtune/quant/outlier_split.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <set>
#include <tuple>

#include "reference.h"
#include "on_threads.h"

namespace fixtune {
namespace {

RandomStream stream() { return {{4, 5, 6}, tensor_id("x")}; }

QuantizedActivation split(const Tensor& x, const Recipe& recipe) {
  return quantize_activation(x.map(), recipe, stream(), "ffn.input");
}

std::string error_of(const Tensor& x, const Recipe& recipe) {
  try {
    split(x, recipe);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

/// Every combination of treatment, isolation, block, step and rounding, with a few widths.
std::vector<Recipe> all_recipes(float gamma) {
  std::vector<Recipe> recipes;
  for (const auto outliers :
       {OutlierTreatment::Untreated, OutlierTreatment::UnifiedScale, OutlierTreatment::TiledSplit})
    for (const auto isolation : {Isolation::Element, Isolation::Column})
      for (const auto block : {Block::Tensor, Block::Row})
        for (const auto step : {StepKind::PowerOfTwo, StepKind::FullRange})
          for (const auto rounding : {Rounding::Nearest, Rounding::Stochastic})
            for (const int bits : {4, 8}) {
              Recipe recipe;
              recipe.outliers = outliers;
              recipe.isolation = isolation;
              recipe.block = block;
              recipe.step = step;
              recipe.rounding = rounding;
              recipe.gamma = gamma;
              recipe.bits = bits;
              recipes.push_back(recipe);
            }
  return recipes;
}

double worth_of_digit(const QuantizedActivation& q, Index row) {
  return q.digit_unit != 0 ? static_cast<double>(q.inliers.step(row)) * q.digit_unit
                           : static_cast<double>(q.digit_step);
}

/// Eq. 1 and Eq. 2 in double precision, from the integers.
std::vector<double> evaluate(const QuantizedActivation& q) {
  const Index cols = q.inliers.cols;
  std::vector<double> x(static_cast<std::size_t>(q.inliers.rows * cols));
  for (Index r = 0; r < q.inliers.rows; ++r)
    for (Index c = 0; c < cols; ++c)
      x[static_cast<std::size_t>(r * cols + c)] = static_cast<double>(q.inliers.step(r)) * q.inliers.code(r, c);
  for (const SparseDigit& d : q.digits)
    x[static_cast<std::size_t>(d.row * cols + d.column)] += worth_of_digit(q, d.row) * d.digit;
  return x;
}

/// How far a value may be from its integers: by its step, its rounding, the clamp of a power-of-two step.
double bound_of(const Recipe& recipe, const QuantizedActivation& q, Index r, float x, bool in_digits) {
  const bool digit_step = recipe.outliers == OutlierTreatment::UnifiedScale && in_digits;
  const double step = digit_step ? q.digit_step : q.inliers.step(r);
  const bool exact = recipe.rounding == Rounding::Nearest && recipe.step == StepKind::FullRange;
  return (exact ? 0.5 : 1.0) * step * 1.0001 + 3e-7 * std::abs(x);
}

void expect_reproduces(const Tensor& x, const Recipe& recipe) {
  const QuantizedActivation q = split(x, recipe);
  const std::vector<double> value = evaluate(q);
  std::set<std::pair<Index, Index>> in_digits;
  for (const SparseDigit& d : q.digits) in_digits.insert({d.row, d.column});
  const Tensor back = dequantize(q);
  for (Index r = 0; r < x.rows(); ++r)
    for (Index c = 0; c < x.cols(); ++c) {
      const double got = value[static_cast<std::size_t>(r * x.cols() + c)];
      ASSERT_LE(std::abs(got - x(r, c)), bound_of(recipe, q, r, x(r, c), in_digits.contains({r, c})))
          << x(r, c) << " at " << r << ", " << c << ": " << to_string(recipe.outliers) << ' '
          << to_string(recipe.block) << ' ' << to_string(recipe.step) << ' ' << recipe.bits;
      ASSERT_EQ(back(r, c), static_cast<float>(got));
    }
}

TEST(OutlierSplit, IntegersReproduceTheActivation) {
  for (const auto& [rows, cols] : std::vector<std::pair<Index, Index>>{{1, 1}, {3, 17}, {41, 131}})
    for (const float gamma : {0.1F, 2.0F, 5.0F, 1e4F})
      for (const Recipe& recipe : all_recipes(gamma)) expect_reproduces(heavy_tailed(rows, cols, 2.5F, 3), recipe);
}

TEST(OutlierSplit, EveryElementAnOutlierAndNone) {
  const Tensor large = Tensor::filled(5, 70, -31.25F);
  const Tensor small = heavy_tailed(5, 70, 0.01F, 3);
  for (const Recipe& recipe : all_recipes(5.0F)) {
    expect_reproduces(large, recipe);
    expect_reproduces(small, recipe);
    EXPECT_EQ(split(large, recipe).statistics.outliers, 350);
    EXPECT_EQ(split(large, recipe).statistics.outlier_columns, 70);
    EXPECT_TRUE(split(small, recipe).digits.empty());
  }
}

TEST(OutlierSplit, StatisticsAreFilledForEveryTreatment) {
  Tensor x = Tensor::filled(40, 30, 0.5F);
  x(3, 7) = 60.0F;
  x(39, 7) = -6.0F;
  x(20, 29) = 5.5F;
  for (const Recipe& recipe : all_recipes(5.0F)) {
    const OutlierStatistics s = split(x, recipe).statistics;
    EXPECT_EQ(std::tuple(s.elements, s.outliers, s.outlier_columns, s.largest), std::tuple(1200, 3, 2, 60.0F));
    EXPECT_GT(s.step, 0.0F);
  }
}

TEST(OutlierSplit, TheThresholdItselfIsNoOutlier) {
  Tensor x = Tensor::filled(1, 6, 1.0F);
  x(0, 1) = 5.0F;
  x(0, 2) = -5.0F;
  x(0, 3) = std::nextafter(5.0F, 6.0F);
  x(0, 4) = -std::nextafter(5.0F, 6.0F);
  x(0, 5) = 15.0F;  // 10 + 5, whose remainder must be -5 of digit 2
  Recipe recipe;
  const QuantizedActivation q = split(x, recipe);
  ASSERT_EQ(q.statistics.outliers, 3);
  ASSERT_EQ(q.digits.size(), 3U);
  EXPECT_EQ(std::tuple(q.digits[0].column, q.digits[0].digit), std::tuple(3, 1));
  EXPECT_EQ(std::tuple(q.digits[1].column, q.digits[1].digit), std::tuple(4, -1));
  EXPECT_EQ(std::tuple(q.digits[2].column, q.digits[2].digit), std::tuple(5, 2));
  EXPECT_EQ(q.inliers.code(0, 1), 127);
  EXPECT_EQ(q.inliers.code(0, 2), -127);
  EXPECT_EQ(q.inliers.code(0, 3), -127);
  EXPECT_EQ(q.inliers.code(0, 4), 127);
  EXPECT_EQ(q.inliers.code(0, 5), -127);
  expect_reproduces(x, recipe);
}

TEST(OutlierSplit, ApproachTwoHasTheIntegerRatio160) {
  Tensor x = heavy_tailed(20, 50, 2.0F, 9);
  x(0, 0) = 4.5F;  // the block's largest lies in [4, 8)
  x(1, 1) = 142.8F;
  const QuantizedActivation q = split(x, preset("approach2"));
  EXPECT_EQ(q.inliers.step(0), 0x1p-4F);
  EXPECT_EQ(q.digit_unit, 160);
}

TEST(OutlierSplit, PowerOfTwoRowsWithOutliersShareOneUnit) {
  Recipe recipe = preset("approach2");
  recipe.block = Block::Row;
  Tensor x = Tensor::filled(3, 4, 0.01F);
  x(0, 1) = 10.0F;
  x(2, 2) = -77.0F;
  const QuantizedActivation q = split(x, recipe);
  EXPECT_EQ(q.digit_unit, 160);
  EXPECT_EQ(q.inliers.step(0), 0x1p-4F);
  EXPECT_EQ(q.inliers.step(1), step_for(0.01F, 8, StepKind::PowerOfTwo));
  EXPECT_EQ(q.inliers.step(2), 0x1p-4F);
}

TEST(OutlierSplit, WithoutAnIntegerRatioADigitIsWorthTwoGamma) {
  Recipe recipe = preset("approach2");
  recipe.gamma = 0.1F;
  const QuantizedActivation q = split(heavy_tailed(20, 50, 0.05F, 9), recipe);
  ASSERT_FALSE(q.digits.empty());
  EXPECT_EQ(q.digit_unit, 0);
  EXPECT_EQ(q.digit_step, 0.2F);
}

/// The grid rule of the full-range step: `2 gamma k = 2 max_code s_x k'`, as coarse as it must be and no coarser.
TEST(OutlierSplit, FullRangeRowsTakeTheGrid) {
  for (const float gamma : {0.3F, 2.0F, 5.0F}) {
    Recipe recipe;
    recipe.gamma = gamma;
    const Tensor x = heavy_tailed(64, 40, 2.0F, 12);
    const QuantizedActivation q = split(x, recipe);
    ASSERT_FALSE(q.digits.empty());
    EXPECT_EQ(q.digit_unit, 254);
    const float coarsest = gamma / 127.0F;
    for (const SparseDigit& d : q.digits) {
      const double k = std::floor((static_cast<double>(x(d.row, d.column)) + gamma) / (2.0 * gamma));
      const double step = q.inliers.step(d.row);
      const double shift = coarsest / step;
      EXPECT_EQ(d.digit, k * shift);
      EXPECT_EQ(std::exp2(std::round(std::log2(shift))), shift);
      EXPECT_NEAR(254.0 * step * d.digit, 2.0 * gamma * k, 1e-7 * std::abs(2.0 * gamma * k));
    }
  }
}

TEST(OutlierSplit, FullRangeRowsTakeTheFinestGridStepThatFits) {
  Tensor x = Tensor::filled(5, 3, 0.0F);
  x(0, 0) = 10.0F;  // remainder 0, digit 1: bounded by the digit, 1 << 6 <= 127
  x(1, 0) = 10.0F;
  x(1, 1) = 2.0F;  // remainders up to 2: 5/2 holds them, 5/4 does not
  x(2, 0) = 640.0F;  // digit 64: no room to shift
  x(3, 0) = 3.0F;    // no outlier: its own step
  x(4, 0) = 12000.0F;  // digit 1200: a second plane
  const QuantizedActivation q = split(x, Recipe{});
  const float coarsest = 5.0F / 127.0F;
  EXPECT_EQ(q.inliers.steps, (WorkspaceVector<float>{coarsest / 64, coarsest / 2, coarsest, 3.0F / 127.0F, coarsest}));
  ASSERT_EQ(q.digits.size(), 4U);
  EXPECT_EQ(q.digits[0].digit, 64);
  EXPECT_EQ(q.digits[1].digit, 2);
  EXPECT_EQ(q.digits[2].digit, 64);
  EXPECT_EQ(q.digits[3].digit, 1200);
}

TEST(OutlierSplit, UnifiedScaleFollowsTheSpecification) {
  for (const Recipe& recipe : all_recipes(5.0F)) {
    if (recipe.outliers != OutlierTreatment::UnifiedScale) continue;
    const Tensor x = heavy_tailed(19, 33, 2.5F, 21);
    const QuantizedActivation q = split(x, recipe);
    std::set<Index> columns;
    for (Index i = 0; i < x.size(); ++i)
      if (std::abs(x.data()[i]) > 5.0F) columns.insert(i % x.cols());
    Tensor inliers = x;
    std::size_t next = 0;
    Format wide = recipe.format_x();
    wide.bits = 12;
    const float wide_step = reference::step(reference::largest(x.map()), 12, recipe.step);
    ASSERT_EQ(q.digit_step, wide_step);
    for (Index r = 0; r < x.rows(); ++r)
      for (Index c = 0; c < x.cols(); ++c) {
        const bool moved =
            recipe.isolation == Isolation::Column ? columns.contains(c) : std::abs(x(r, c)) > 5.0F;
        if (!moved) continue;
        inliers(r, c) = 0.0F;
        ASSERT_LT(next, q.digits.size());
        const SparseDigit& d = q.digits[next++];
        ASSERT_EQ(std::tuple(d.row, d.column), std::tuple(r, c));
        const auto element = static_cast<std::uint64_t>(x.size() + r * x.cols() + c);
        ASSERT_EQ(d.digit, reference::code(x(r, c), wide_step, wide, stream().uniform(element)));
      }
    EXPECT_EQ(next, q.digits.size());
    const FixedPointTensor expected = quantize(view(inliers), recipe.format_x(), stream(), "x");
    EXPECT_EQ(q.inliers.steps, expected.steps);
    EXPECT_TRUE(std::equal(expected.codes8.begin(), expected.codes8.end(), q.inliers.codes8.begin()));
  }
}

TEST(OutlierSplit, UntreatedIsPlainQuantisation) {
  const Tensor x = heavy_tailed(19, 33, 2.5F, 21);
  for (const Recipe& recipe : all_recipes(5.0F)) {
    if (recipe.outliers != OutlierTreatment::Untreated) continue;
    const QuantizedActivation q = split(x, recipe);
    const FixedPointTensor expected = quantize(view(x), recipe.format_x(), stream(), "x");
    EXPECT_EQ(q.inliers.steps, expected.steps);
    EXPECT_TRUE(std::equal(expected.codes8.begin(), expected.codes8.end(), q.inliers.codes8.begin()));
    EXPECT_TRUE(q.digits.empty());
  }
}

void expect_same(const QuantizedActivation& a, const QuantizedActivation& b) {
  EXPECT_TRUE(std::equal(a.inliers.codes8.begin(), a.inliers.codes8.end(), b.inliers.codes8.begin()));
  EXPECT_EQ(a.inliers.steps, b.inliers.steps);
  ASSERT_EQ(a.digits.size(), b.digits.size());
  for (std::size_t i = 0; i < a.digits.size(); ++i)
    EXPECT_EQ(std::tuple(a.digits[i].row, a.digits[i].column, a.digits[i].digit),
              std::tuple(b.digits[i].row, b.digits[i].column, b.digits[i].digit));
}

QuantizedActivation split_on(int threads, const Tensor& x, const Recipe& recipe) {
  const OnThreads use(threads);
  return split(x, recipe);
}

TEST(OutlierSplit, ThreadsChangeNothing) {
  const Tensor x = heavy_tailed(333, 97, 2.5F, 22);
  for (const Recipe& recipe : all_recipes(5.0F)) {
    const QuantizedActivation one = split_on(1, x, recipe);
    for (const int threads : {2, 4}) expect_same(one, split_on(threads, x, recipe));
  }
}

TEST(OutlierSplit, NothingIsRememberedFromAnEarlierBatch) {
  Tensor first = heavy_tailed(20, 30, 0.3F, 23);
  first.map().col(3).setConstant(60.0F);
  Tensor second = heavy_tailed(20, 30, 0.03F, 24);
  for (const Recipe& recipe : all_recipes(6.0F)) {
    const QuantizedActivation fresh = split(second, recipe);
    split(first, recipe);
    expect_same(fresh, split(second, recipe));
  }
}

TEST(OutlierSplit, RowsOfASentenceDoNotDependOnItsNeighbours) {
  Tensor x = heavy_tailed(40, 30, 2.5F, 25);
  Recipe recipe;
  const QuantizedActivation before = split(x, recipe);
  x.map().bottomRows(20) *= 7.0F;
  const QuantizedActivation after = split(x, recipe);
  EXPECT_TRUE(std::equal(before.inliers.codes8.begin(), before.inliers.codes8.begin() + 20 * 30,
                         after.inliers.codes8.begin()));
}

TEST(OutlierSplit, TinyAndZeroRowsStayFinite) {
  Tensor x = Tensor::filled(3, 20, 1e-38F);
  x(0, 3) = 1e-45F;
  x.map().row(1).setZero();
  x(2, 0) = 100.0F;
  for (const Recipe& recipe : all_recipes(5.0F)) {
    const QuantizedActivation q = split(x, recipe);
    EXPECT_TRUE(dequantize(q).map().allFinite());
    for (Index c = 0; c < 20; ++c) EXPECT_EQ(q.inliers.code(1, c), 0);
  }
}

TEST(OutlierSplit, NonFiniteAndUnreachableValuesAreNamed) {
  for (const Recipe& recipe : all_recipes(5.0F)) {
    for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
      Tensor x = heavy_tailed(20, 30, 2.5F, 26);
      x(18, 29) = bad;
      EXPECT_THAT(error_of(x, recipe),
                  testing::AllOf(testing::HasSubstr("ffn.input"), testing::HasSubstr("row 18, column 29")));
    }
    for (const float huge : {1e6F, -3e38F}) {
      Tensor x = heavy_tailed(20, 30, 2.5F, 26);
      x(18, 29) = huge;
      if (recipe.outliers == OutlierTreatment::TiledSplit)
        EXPECT_THAT(error_of(x, recipe),
                    testing::AllOf(testing::HasSubstr("ffn.input"), testing::HasSubstr("two INT8 planes")));
      else
        EXPECT_EQ(error_of(x, recipe), "");
    }
  }
}

// An activation that is made as it is quantised has the codes of one that lies in memory, and the same errors.
TEST(OutlierSplit, ProducedRowsGiveTheSameIntegers) {
  Tensor x = heavy_tailed(37, 50, 1.0F, 3);
  for (Index r = 0; r < x.rows(); r += 3) x(r, (7 * r) % 50) = r % 2 == 0 ? 40.0F : -23.0F;
  const RowProducer producer = [&](Index begin, Index end, float* rows) {
    std::copy_n(x.row(begin), (end - begin) * x.cols(), rows);
  };
  for (const Recipe& recipe : all_recipes(5.0F)) {
    const QuantizedActivation a = split(x, recipe);
    const QuantizedActivation b = quantize_activation(x.rows(), x.cols(), producer, recipe, stream(), "x");
    for (Index r = 0; r < x.rows(); ++r)
      for (Index c = 0; c < x.cols(); ++c) ASSERT_EQ(a.inliers.code(r, c), b.inliers.code(r, c));
    EXPECT_EQ(a.inliers.steps, b.inliers.steps);
    ASSERT_EQ(a.digits.size(), b.digits.size());
    for (std::size_t i = 0; i < a.digits.size(); ++i) EXPECT_EQ(a.digits[i].digit, b.digits[i].digit);
  }
  x(20, 11) = std::numeric_limits<float>::infinity();
  try {
    quantize_activation(x.rows(), x.cols(), producer, preset("rowwise"), stream(), "x");
    FAIL() << "an infinity was quantised";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("row 20, column 11"));
  }
}

TEST(OutlierSplit, RowSumsAreThoseOfTheCodes) {
  Tensor x = heavy_tailed(19, 33, 1.0F, 5);
  x(4, 8) = 61.0F;
  for (const Recipe& recipe : all_recipes(5.0F)) {
    const QuantizedActivation q = split(x, recipe);
    for (Index r = 0; r < x.rows(); ++r) {
      std::int32_t sum = 0;
      for (Index c = 0; c < x.cols(); ++c) sum += q.inliers.code(r, c);
      EXPECT_EQ(q.inliers.row_sums[static_cast<std::size_t>(r)], sum);
    }
  }
}

}  // namespace
}  // namespace fixtune
