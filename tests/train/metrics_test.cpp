#include "fixtune/train/metrics.h"

#include <gtest/gtest.h>

#include <cmath>

namespace fixtune {
namespace {

TEST(Metrics, MatthewsSurvivesLargeCounts) {
  // TP = TN = 50000, FP = FN = 5000: the products of four counts pass 64 bits.
  std::vector<int> predicted;
  std::vector<int> labels;
  const auto add = [&](int p, int l, int count) {
    predicted.insert(predicted.end(), static_cast<std::size_t>(count), p);
    labels.insert(labels.end(), static_cast<std::size_t>(count), l);
  };
  add(1, 1, 50000);
  add(0, 0, 50000);
  add(1, 0, 5000);
  add(0, 1, 5000);
  EXPECT_NEAR(matthews_correlation(predicted, labels), 0.8181818, 1e-6);
  EXPECT_NEAR(f1(predicted, labels), 0.9090909, 1e-6);
  EXPECT_NEAR(*accuracy(predicted, labels), 0.9090909, 1e-6);
}

TEST(Metrics, ConstantPredictionsAreNoCrash) {
  const std::vector<int> zeros(5, 0);
  const std::vector<int> labels{0, 1, 0, 1, 1};
  EXPECT_EQ(matthews_correlation(zeros, labels), 0.0);
  EXPECT_EQ(f1(zeros, labels), 0.0);
  const std::vector<double> constant(3, 2.5);
  const std::vector<double> scores{1.0, 2.0, 3.0};
  EXPECT_FALSE(pearson(constant, scores).has_value());
  EXPECT_FALSE(spearman(constant, scores).has_value());
}

TEST(Metrics, NoRowsAreUndefined) {
  EXPECT_FALSE(accuracy({}, {}).has_value());
  EXPECT_FALSE(pearson({}, {}).has_value());
}

// scipy.stats: pearsonr and spearmanr of ([1, 2, 2, 4, 5], [1, 3, 2, 2, 6]).
TEST(Metrics, CorrelationsWithTiesAsScipy) {
  const std::vector<double> a{1, 2, 2, 4, 5};
  const std::vector<double> b{1, 3, 2, 2, 6};
  EXPECT_NEAR(*pearson(a, b), 0.7751456965312076, 1e-12);
  EXPECT_NEAR(*spearman(a, b), 0.7631578947368421, 1e-12);
}

}  // namespace
}  // namespace fixtune
