#include "fixtune/optim/clip.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "fixtune/optim/adamw.h"
#include "operation_fixtures.h"
#include "on_threads.h"

namespace fixtune {
namespace {

Parameter with_gradient(const Tensor& gradient, const char* name) {
  Parameter p{Variable(Tensor::zeros(gradient.rows(), gradient.cols()), true, name)};
  p.variable.gradient()->value = gradient;
  return p;
}

TEST(ClipGradientNorm, EqualsPyTorch) {
  const auto f = test::operation_fixture("clip");
  std::vector<Parameter> parameters;
  for (const auto& g : f["before"]) parameters.push_back(with_gradient(test::tensor_from(g), "p"));
  EXPECT_NEAR(clip_gradient_norm(parameters, f["max_norm"].get<float>()), f["norm"].get<double>(), 1e-5);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Tensor expected = test::tensor_from(f["after"][i]);
    for (Index k = 0; k < expected.size(); ++k)
      EXPECT_NEAR(parameters[i].variable.grad().data()[k], expected.data()[k], 1e-7);
  }
}

TEST(ClipGradientNorm, LeavesSmallGradientsAndMeasuresWithoutALimit) {
  const std::vector<Parameter> parameters{with_gradient(Tensor::filled(1, 4, 2.0F), "p")};
  EXPECT_FLOAT_EQ(clip_gradient_norm(parameters, 5.0F), 4.0F);
  EXPECT_FLOAT_EQ(clip_gradient_norm(parameters, 0.0F), 4.0F);
  EXPECT_EQ(parameters[0].variable.grad()(0, 0), 2.0F);
  EXPECT_EQ(clip_gradient_norm({}, 1.0F), 0.0F);
}

TEST(ClipGradientNorm, IgnoresFrozenParameters) {
  std::vector<Parameter> parameters{with_gradient(Tensor::filled(1, 4, 2.0F), "p")};
  parameters[0].variable.set_requires_grad(false);
  EXPECT_EQ(clip_gradient_norm(parameters, 1.0F), 0.0F);
}

TEST(ClipGradientNorm, NamesTheParameterThatIsNotFinite) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    Tensor g = Tensor::filled(3, 3000, 1e30F);
    g(2, 2999) = bad;
    const std::vector<Parameter> parameters{with_gradient(Tensor::filled(1, 2, 1.0F), "good"),
                                            with_gradient(g, "layer.3.weight")};
    try {
      clip_gradient_norm(parameters, 1.0F);
      FAIL();
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), testing::HasSubstr("layer.3.weight"));
    }
    EXPECT_EQ(parameters[0].variable.grad()(0, 0), 1.0F);
  }
}

TEST(ClipGradientNorm, WithinTheUpdateGivesTheSameBits) {
  Tensor g(9, 311);
  for (Index i = 0; i < g.size(); ++i) g.data()[i] = std::sin(static_cast<float>(i));
  const std::vector<Parameter> apart{with_gradient(g, "a"), with_gradient(Tensor::filled(1, 3, 2.0F), "b")};
  const std::vector<Parameter> fused{with_gradient(g, "a"), with_gradient(Tensor::filled(1, 3, 2.0F), "b")};
  AdamW first(apart), second(fused);
  for (int step = 0; step < 2; ++step) {
    clip_gradient_norm(apart, 1.0F);
    first.step(0.1F);
    second.step(0.1F, measure_gradient_clip(fused, 1.0F).factor);
    for (std::size_t i = 0; i < 2; ++i) {
      const Tensor& a = apart[i].variable.value();
      EXPECT_EQ(std::memcmp(a.data(), fused[i].variable.value().data(), a.bytes()), 0);
      apart[i].variable.gradient()->value = fused[i].variable.grad();
    }
  }
  EXPECT_EQ(fused[0].variable.grad()(0, 1), g(0, 1));
  EXPECT_EQ(measure_gradient_clip(fused, 0.0F).factor, 1.0F);
  EXPECT_THROW(second.step(0.1F, std::numeric_limits<float>::quiet_NaN()), Error);
}

TEST(ClipGradientNorm, IsTheSameForAnyNumberOfThreads) {
  Tensor g(257, 311);
  for (Index i = 0; i < g.size(); ++i) g.data()[i] = std::sin(static_cast<float>(i));
  std::vector<float> norms;
  for (const int threads : {1, 2, 4}) {
    const OnThreads use(threads);
    const std::vector<Parameter> parameters{with_gradient(g, "p")};
    norms.push_back(clip_gradient_norm(parameters, 1.0F));
  }
  EXPECT_EQ(norms, std::vector<float>(3, norms[0]));
}

}  // namespace
}  // namespace fixtune
