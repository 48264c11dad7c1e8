#include "fixtune/optim/adamw.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "operation_fixtures.h"
#include "on_threads.h"

namespace fixtune {
namespace {

TEST(AdamW, EqualsPyTorch) {
  const auto f = test::operation_fixture("adamw");
  std::vector<Parameter> parameters{{Variable(test::tensor_from(f["start"][0]), true), true},
                                    {Variable(test::tensor_from(f["start"][1]), true), false}};
  AdamW optimiser(parameters, {.weight_decay = f["weight_decay"].get<double>()});
  for (const auto& step : f["steps"]) {
    optimiser.zero_grad();
    for (std::size_t i = 0; i < 2; ++i)
      if (!step["gradients"][i].is_null())
        parameters[i].variable.gradient()->accumulate(test::tensor_from(step["gradients"][i]));
    optimiser.step(step["rate"].get<float>());
    for (std::size_t i = 0; i < 2; ++i) {
      const Tensor expected = test::tensor_from(step["parameters"][i]);
      for (Index k = 0; k < expected.size(); ++k)
        ASSERT_NEAR(parameters[i].variable.value().data()[k], expected.data()[k], 1e-6);
    }
  }
  EXPECT_EQ(optimiser.steps(), 5);
  EXPECT_EQ(optimiser.parameter_steps()[1], 4);
}

Tensor waves(Index rows, Index cols, float phase) {
  Tensor t(rows, cols);
  for (Index i = 0; i < t.size(); ++i) t.data()[i] = std::sin(phase + static_cast<float>(i));
  return t;
}

TEST(AdamW, IsTheSameForAnyNumberOfThreads) {
  std::vector<Tensor> results;
  for (const int threads : {1, 2, 4}) {
    const OnThreads use(threads);
    const Parameter p{Variable(waves(301, 203, 0.0F), true)};
    AdamW optimiser({p}, {.weight_decay = 0.01});
    for (int step = 0; step < 3; ++step) {
      optimiser.zero_grad();
      p.variable.gradient()->accumulate(waves(301, 203, static_cast<float>(step)));
      optimiser.step(1e-3F);
    }
    results.push_back(p.variable.value());
  }
  for (const Tensor& result : results) EXPECT_EQ(std::memcmp(results[0].data(), result.data(), result.bytes()), 0);
}

TEST(AdamW, GoesOnFromARestoredState) {
  const Parameter a{Variable(waves(3, 5, 0.0F), true)};
  AdamW first({a});
  a.variable.gradient()->accumulate(waves(3, 5, 1.0F));
  first.step(0.1F);

  const Parameter b{Variable(a.variable.value(), true)};
  AdamW second({b});
  const auto copy = [](std::span<const Tensor> s) { return std::vector<Tensor>(s.begin(), s.end()); };
  second.restore(first.steps(), {first.parameter_steps().begin(), first.parameter_steps().end()},
                 copy(first.first_moments()), copy(first.second_moments()));
  b.variable.gradient()->accumulate(waves(3, 5, 1.0F));
  first.step(0.1F);
  second.step(0.1F);
  EXPECT_EQ(std::memcmp(a.variable.value().data(), b.variable.value().data(), a.variable.value().bytes()), 0);
  EXPECT_THROW(second.restore(1, {1}, {Tensor::zeros(5, 3)}, {Tensor::zeros(3, 5)}), Error);
  EXPECT_THROW(second.restore(1, {}, {}, {}), Error);
}

TEST(AdamW, SkipsFrozenParametersAndThoseWithoutGradient) {
  std::vector<Parameter> parameters{{Variable(Tensor::filled(1, 2, 1.0F), true)},
                                    {Variable(Tensor::filled(1, 2, 1.0F), false)}};
  parameters[1].variable.gradient()->accumulate(Tensor::filled(1, 2, 1.0F));
  AdamW optimiser(parameters, {.weight_decay = 0.5});
  optimiser.step(0.1F);
  for (const Parameter& p : parameters) EXPECT_EQ(p.variable.value()(0, 0), 1.0F);
  EXPECT_TRUE(optimiser.first_moments()[1].empty());
}

TEST(AdamW, LeavesNoDenormalsInItsMoments) {
  const Parameter p{Variable(Tensor::filled(1, 2, 1.0F), true)};
  AdamW optimiser({p});
  p.variable.gradient()->accumulate(Tensor::filled(1, 2, 1e-20F));
  optimiser.step(0.1F);
  EXPECT_EQ(optimiser.second_moments()[0](0, 0), 0.0F);
  EXPECT_TRUE(std::isfinite(p.variable.value()(0, 0)));
}

TEST(AdamW, NamesTheParameterThatAnUpdateRuins) {
  const auto message = [](float gradient, float rate) -> std::string {
    const Parameter good{Variable(Tensor::filled(1, 9, 1.0F), true, "good")};
    const Parameter ruined{Variable(Tensor::filled(30, 9, 3.4e38F), true, "encoder.weight")};
    AdamW optimiser({good, ruined});
    good.variable.gradient()->accumulate(Tensor::filled(1, 9, 1.0F));
    Tensor g = Tensor::filled(30, 9, 1.0F);
    g(29, 8) = gradient;
    ruined.variable.gradient()->accumulate(std::move(g));
    try {
      optimiser.step(rate);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(message(1.0F, 1e-3F), "no error");
  EXPECT_THAT(message(-1.0F, 1e37F), testing::HasSubstr("encoder.weight"));
  // Its square is infinite: the parameter would never move again.
  EXPECT_THAT(message(1e25F, 1e-3F), testing::HasSubstr("encoder.weight"));
}

TEST(AdamW, RefusesOptionsOutOfRange) {
  const std::vector<Parameter> parameters{{Variable(Tensor::zeros(1, 2), true)}};
  EXPECT_THROW(AdamW(parameters, {.beta1 = 1.0}), Error);
  EXPECT_THROW(AdamW(parameters, {.epsilon = -1.0}), Error);
  EXPECT_THROW(AdamW({Parameter{}}), Error);
  AdamW optimiser(parameters);
  EXPECT_THROW(optimiser.step(-1.0F), Error);
  EXPECT_THROW(optimiser.step(std::numeric_limits<float>::infinity()), Error);
}

}  // namespace
}  // namespace fixtune
