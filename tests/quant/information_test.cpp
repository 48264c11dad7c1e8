#include "fixtune/quant/information.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

namespace fixtune {
namespace {

/// What numpy and scipy computed: tools/make_information_fixtures.py.
nlohmann::json fixture(const char* part) {
  std::ifstream file(std::string(FIXTUNE_FIXTURES) + "/information.json");
  return nlohmann::json::parse(file).at(part);
}

Tensor tensor_from(const nlohmann::json& rows) {
  Tensor t(static_cast<Index>(rows.size()), static_cast<Index>(rows.at(0).size()));
  for (Index i = 0; i < t.size(); ++i)
    t.data()[i] = rows.at(static_cast<std::size_t>(i / t.cols())).at(static_cast<std::size_t>(i % t.cols())).get<float>();
  return t;
}

/// Equal to `allowed` of the larger magnitude.
void expect_close(double actual, double expected, double allowed = 1e-6) {
  EXPECT_NEAR(actual, expected, allowed * std::max(std::abs(expected), 1e-9));
}

void expect_equal(const Moments& actual, const nlohmann::json& expected) {
  EXPECT_EQ(actual.count, expected.at("count").get<double>());
  EXPECT_NEAR(actual.mean, expected.at("mean").get<double>(), 1e-6);
  expect_close(actual.variance(), expected.at("variance").get<double>(), 1e-5);
}

void expect_equal(const Mixture& actual, const nlohmann::json& expected) {
  expect_equal(actual.whole(), expected.at("whole"));
  expect_equal(actual.inliers, expected.at("inliers"));
  expect_equal(actual.outliers, expected.at("outliers"));
  expect_close(actual.share(), expected.at("share").get<double>(), 1e-12);
  expect_close(actual.variance_within(), expected.at("within").get<double>(), 1e-5);
  EXPECT_NEAR(actual.variance_between(), expected.at("between").get<double>(), 1e-6);
}

TEST(Information, MomentsAndRatiosAreNumpys) {
  for (const auto& sample : fixture("samples")) {
    const Tensor x = tensor_from(sample.at("x"));
    const Tensor quantised = tensor_from(sample.at("quantised"));
    const InformationLoss loss = information_loss(x, quantised, sample.at("gamma").get<float>());
    expect_equal(loss.original, sample.at("original"));
    expect_equal(loss.quantised, sample.at("rounded"));
    expect_equal(loss.error, sample.at("error"));
    const Moments original = loss.original.whole();
    expect_close(sensitivity_ratio(original, loss.quantised.whole()), sample.at("sensitivity").get<double>());
    expect_close(uncorrelated_sensitivity_ratio(original, loss.error.whole()),
                 sample.at("uncorrelated_sensitivity").get<double>());
    EXPECT_NEAR(error_correlation(original, loss.quantised.whole(), loss.error.whole()),
                sample.at("correlation").get<double>(), 1e-3);
  }
}

/// Eq. 11 as an identity: V(X) is what lies within the parts and what lies between them.
TEST(Information, VarianceIsWithinAndBetweenTheParts) {
  for (const auto& sample : fixture("samples")) {
    const Mixture m = mixture_of(tensor_from(sample.at("x")), sample.at("gamma").get<float>());
    expect_close(m.variance_within() + m.variance_between(), m.whole().variance(), 1e-12);
    EXPECT_GE(m.whole().variance(), m.variance_within());
  }
}

TEST(Information, BothTailsAreOutliersAndTheThresholdIsNot) {
  Tensor x(1, 4);
  for (const auto& [i, value] : std::vector<std::pair<Index, float>>{{0, -7.0F}, {1, -5.0F}, {2, 5.0F}, {3, 9.0F}})
    x(0, i) = value;
  const Mixture m = mixture_of(x, 5.0F);
  EXPECT_EQ(m.inliers.count, 2.0);
  EXPECT_EQ(m.outliers.mean, 1.0);
}

TEST(Information, BatchesAddUp) {
  const auto sample = fixture("samples").at(0);
  const Tensor x = tensor_from(sample.at("x"));
  const Tensor quantised = tensor_from(sample.at("quantised"));
  const auto rows = [](const Tensor& t, Index first, Index count) {
    return ConstMatrixMap(t.row(first), count, t.cols(), Eigen::OuterStride<>(t.cols()));
  };
  InformationLoss sum;
  for (const auto& [first, count] : std::vector<std::pair<Index, Index>>{{0, 1}, {1, 7}, {8, 5}})
    sum.add(information_loss(rows(x, first, count), rows(quantised, first, count), 5.0F));
  expect_equal(sum.original, sample.at("original"));
  expect_equal(sum.error, sample.at("error"));
}

/// Eq. 6 bounds the divergence against the law whose variance it holds.
TEST(Information, TheBoundHoldsForTheVarianceOfTheSecondLaw) {
  bool other_variance_fails = false;
  for (const auto& pair : fixture("laws")) {
    const auto shift = pair.at("shift").get<double>();
    const auto divergence = pair.at("divergence").get<double>();
    EXPECT_LE(chapman_robbins_bound(shift, pair.at("variance_q").get<double>()), divergence) << pair;
    other_variance_fails |= chapman_robbins_bound(shift, pair.at("variance_p").get<double>()) > divergence;
    // A normal law's divergence for a small shift is the bound itself.
    if (pair.at("law") == "norm" && shift < 0.05) expect_close(shift * shift, divergence, 1e-3);
  }
  EXPECT_TRUE(other_variance_fails);
}

TEST(Information, EvenErrorsAreScipys) {
  for (const auto& e : fixture("even_errors")) {
    expect_close(even_error_variance(e.at("step").get<double>(), Rounding::Nearest), e.at("nearest").get<double>());
    expect_close(even_error_variance(e.at("step").get<double>(), Rounding::Stochastic), e.at("stochastic").get<double>());
  }
}

Tensor wide_normal(Index rows, Index cols) {
  std::mt19937 generator(17);
  std::normal_distribution<float> normal;
  Tensor x(rows, cols);
  for (Index i = 0; i < x.size(); ++i) x.data()[i] = normal(generator) * (i % 97 == 0 ? 20.0F : 1.0F);
  return x;
}

/// Where many codes are in use, measured errors are what even ones would be, for every treatment.
TEST(Information, MeasuredErrorsFollowTheSteps) {
  const Tensor x = wide_normal(100, 400);
  for (const char* name : {"int8", "approach1", "approach2", "rowwise"}) {
    const Recipe recipe = preset(name);
    const QuantizedActivation q = quantize_activation(x, recipe, RandomStream({1, 2, 3}, 4), name);
    const InformationLoss loss = information_loss(x, dequantize(q), recipe.gamma);
    expect_close(loss.error.whole().variance(), even_error_variance(q, recipe.rounding), 0.15);
    EXPECT_LT(loss.error.whole().mean * loss.error.whole().mean, 1e-3 * loss.error.whole().variance());
    EXPECT_NEAR(error_correlation(loss.original.whole(), loss.quantised.whole(), loss.error.whole()), 0.0, 0.1);
  }
}

/// All of it rounds to zero: the first ratio of Eq. 5 is infinite, far from "at most 1", the second says a half.
TEST(Information, NearestRoundingToZeroIsNoGainOfInformation) {
  const Tensor x = wide_normal(3, 50);
  const InformationLoss loss = information_loss(x, Tensor::zeros(3, 50), 5.0F);
  EXPECT_EQ(sensitivity_ratio(loss.original.whole(), loss.quantised.whole()), std::numeric_limits<double>::infinity());
  EXPECT_EQ(uncorrelated_sensitivity_ratio(loss.original.whole(), loss.error.whole()), 0.5);
  EXPECT_NEAR(error_correlation(loss.original.whole(), loss.quantised.whole(), loss.error.whole()), -1.0, 1e-12);
}

TEST(Information, ConstantAndEmptySamplesStayDefined) {
  const Tensor x = Tensor::filled(2, 3, 1.0F);
  const InformationLoss loss = information_loss(x, x, 5.0F);
  EXPECT_TRUE(std::isnan(sensitivity_ratio(loss.original.whole(), loss.quantised.whole())));
  EXPECT_EQ(error_correlation(loss.original.whole(), loss.quantised.whole(), loss.error.whole()), 0.0);
  EXPECT_EQ(Mixture{}.whole().variance(), 0.0);
  EXPECT_THROW(information_loss(x, Tensor::zeros(3, 2), 5.0F), Error);
}

}  // namespace
}  // namespace fixtune
