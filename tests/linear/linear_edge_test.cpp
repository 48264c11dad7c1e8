#include "exact_linear.h"

#include <gmock/gmock.h>

namespace fixtune {
namespace {

using ::testing::HasSubstr;
using testing::random_tensor;
using testing::view;

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(LinearEdges, AnEarlierBatchLeavesNoTrace) {
  const Recipe recipe = preset("rowwise");
  const Tensor w = random_tensor(16, 24, 1);
  const Tensor quiet = random_tensor(8, 24, 2);
  Tensor loud = random_tensor(8, 24, 3);
  for (Index r = 0; r < loud.rows(); ++r) loud(r, 3) = 60.0F;
  const QuantizedWeight weight = prepare_weight(view(w), recipe);
  const Tensor fresh = linear_forward(view(quiet), weight, nullptr).y;
  linear_forward(view(loud), weight, nullptr);
  const Tensor after = linear_forward(view(quiet), weight, nullptr).y;
  EXPECT_TRUE(std::equal(fresh.data(), fresh.data() + fresh.size(), after.data()));
}

TEST(LinearEdges, ZeroInputGivesTheBias) {
  for (const char* name : {"int8", "approach1", "approach2", "rowwise"}) {
    const Tensor w = random_tensor(5, 7, 1);
    const Tensor bias = random_tensor(1, 5, 2);
    const Tensor x = Tensor::zeros(3, 7);
    const QuantizedWeight weight = prepare_weight(view(w), preset(name));
    const LinearResult result = linear_forward(view(x), weight, bias.data());
    for (Index r = 0; r < 3; ++r)
      for (Index c = 0; c < 5; ++c) EXPECT_EQ(result.y(r, c), bias(0, c)) << name;
    const Tensor zero = Tensor::zeros(3, 5);
    const LinearGradients g = linear_backward(view(zero), weight, result.saved);
    EXPECT_EQ(g.dw.map().cwiseAbs().maxCoeff(), 0.0F) << name;
    EXPECT_EQ(g.dx.map().cwiseAbs().maxCoeff(), 0.0F) << name;
  }
}

/// Forward and all gradients against the products in double precision.
void expect_close_to_floats(const Recipe& recipe, const Tensor& x, Index outliers) {
  const Tensor w = random_tensor(5, 64, 1);
  const Tensor dy = random_tensor(x.rows(), 5, 2);
  LinearContext context;
  Index found = -1;
  context.observer = [&](std::string_view, const OutlierStatistics& s) { found = s.outliers; };
  const QuantizedWeight weight = prepare_weight(view(w), recipe, context);
  const LinearResult result = linear_forward(view(x), weight, nullptr, context);
  const LinearGradients g = linear_backward(view(dy), weight, result.saved, {}, context);
  EXPECT_EQ(found, outliers) << recipe.name;
  const testing::MatrixD xd = x.map().cast<double>(), wd = w.map().cast<double>(), dyd = dy.map().cast<double>();
  const auto error = [](const Tensor& actual, const testing::MatrixD& expected) {
    return (actual.map().cast<double>() - expected).norm() / std::max(expected.norm(), 1e-30);
  };
  EXPECT_LT(error(result.y, xd * wd.transpose()), 0.05) << recipe.name;
  EXPECT_LT(error(g.dx, dyd * wd), 0.05) << recipe.name;
  EXPECT_LT(error(g.dw, dyd.transpose() * xd), 0.05) << recipe.name;
}

/// Values of magnitude `small` to `large` with mixed signs.
Tensor spread(float small, float large) {
  Tensor x = random_tensor(16, 64, 3);
  const float largest = x.map().cwiseAbs().maxCoeff();
  for (float* v = x.data(); v != x.data() + x.size(); ++v)
    *v = std::copysign(small + (large - small) * std::abs(*v) / largest, *v);
  return x;
}

TEST(LinearEdges, EveryElementAnOutlierNoneAndAllAtTheThreshold) {
  for (const char* name : {"int8", "approach1", "approach2", "rowwise"}) {
    expect_close_to_floats(preset(name), spread(std::nextafter(5.0F, 6.0F), 60.0F), 16 * 64);
    expect_close_to_floats(preset(name), spread(0.0F, 4.9F), 0);
    expect_close_to_floats(preset(name), spread(5.0F, 5.0F), 0);
  }
}

TEST(LinearEdges, DenormalsAreZerosOrTiny) {
  for (const char* name : {"int8", "approach1", "approach2", "rowwise"}) {
    const Tensor w = random_tensor(5, 64, 1);
    const Tensor x = spread(1e-45F, 1e-39F);
    const Tensor dy = spread(1e-45F, 1e-39F);
    const QuantizedWeight weight = prepare_weight(view(w), preset(name));
    const LinearResult result = linear_forward(view(x), weight, nullptr);
    const Tensor dy5 = Tensor::filled(16, 5, 1e-40F);
    const LinearGradients g = linear_backward(view(dy5), weight, result.saved);
    for (const Tensor* t : {&result.y, &g.dx, &g.dw}) EXPECT_LT(t->map().cwiseAbs().maxCoeff(), 1e-30F) << name;
    EXPECT_NO_THROW(prepare_weight(view(dy), preset(name))) << name;
  }
}

TEST(LinearEdges, AnEmptyBatchHasEmptyOutputsAndZeroGradients) {
  for (const std::string& name : preset_names()) {
    const Tensor w = random_tensor(5, 7, 1);
    const Tensor x(0, 7), dy(0, 5);
    const QuantizedWeight weight = prepare_weight(view(w), preset(name));
    const LinearResult result = linear_forward(view(x), weight, nullptr);
    EXPECT_EQ(result.y.rows(), 0) << name;
    EXPECT_EQ(result.y.cols(), 5) << name;
    const bool integer = preset(name).arithmetic == Arithmetic::Integer;
    const LinearGradients g = integer ? linear_backward(view(dy), weight, result.saved)
                                      : float_linear_backward(view(dy), weight, view(x));
    EXPECT_EQ(g.dx.rows(), 0) << name;
    ASSERT_EQ(g.dw.rows(), 5) << name;
    EXPECT_EQ(g.dw.map().cwiseAbs().maxCoeff(), 0.0F) << name;
    EXPECT_EQ(g.db.map().cwiseAbs().maxCoeff(), 0.0F) << name;
  }
}

TEST(LinearEdges, NotANumberIsNamedNeverHidden) {
  LinearContext context;
  context.name = "encoder.layer.3.output.dense";
  Tensor w = random_tensor(5, 7, 1);
  const Tensor x = random_tensor(3, 7, 2);
  const QuantizedWeight weight = prepare_weight(view(w), preset("rowwise"), context);
  Tensor bad = random_tensor(3, 7, 3);
  bad(1, 2) = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(message_of([&] { linear_forward(view(bad), weight, nullptr, context); }),
              HasSubstr("encoder.layer.3.output.dense"));
  Tensor dy = random_tensor(3, 5, 4);
  dy(0, 0) = std::numeric_limits<float>::infinity();
  const LinearResult forward = linear_forward(view(x), weight, nullptr, context);
  EXPECT_THAT(message_of([&] { linear_backward(view(dy), weight, forward.saved, {}, context); }),
              HasSubstr("encoder.layer.3.output.dense"));
  w(4, 6) = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(message_of([&] { prepare_weight(view(w), preset("int8"), context); }),
              HasSubstr("encoder.layer.3.output.dense.weight"));
}

TEST(LinearEdges, InferenceSavesNothingAndUnwantedGradientsAreNotComputed) {
  LinearContext context;
  context.save = false;
  const Tensor w = random_tensor(5, 7, 1);
  const Tensor x = random_tensor(3, 7, 2);
  const Tensor dy = random_tensor(3, 5, 3);
  const QuantizedWeight weight = prepare_weight(view(w), preset("rowwise"));
  const LinearResult result = linear_forward(view(x), weight, nullptr, context);
  EXPECT_EQ(result.saved.saved_bytes(), 0U);
  const LinearGradients g = linear_backward(view(dy), weight, result.saved, {.dx = true, .dw = false, .db = false});
  EXPECT_EQ(g.dx.size(), 21);
  EXPECT_TRUE(g.dw.empty());
  EXPECT_THAT(message_of([&] { linear_backward(view(dy), weight, result.saved); }), HasSubstr("without saving"));
  const QuantizedWeight for_inference = prepare_weight(view(w), preset("rowwise"), context);
  EXPECT_THAT(message_of([&] { linear_backward(view(dy), for_inference, result.saved, {.dx = true, .dw = false}); }),
              HasSubstr("prepared for inference"));
}

TEST(LinearEdges, SavesLessThanAQuarterOfTheFloatsAndAnEighthMore) {
  const Tensor w = random_tensor(64, 256, 1);
  const Tensor x = random_tensor(128, 256, 2);
  const QuantizedWeight weight = prepare_weight(view(w), preset("rowwise"));
  const LinearResult result = linear_forward(view(x), weight, nullptr);
  EXPECT_LE(result.saved.saved_bytes(), x.bytes() / 4 + x.bytes() / 32);
}

// dW of more tokens than int32 sums hold: slices with codes of dY of their own, outlier digits in each.
TEST(LinearEdges, MoreTokensThanSumsHoldAreSliced) {
  const Index tokens = max_contraction_8x8 + 6;
  const Tensor w = random_tensor(3, 5, 1);
  const Tensor x = random_tensor(tokens, 5, 2, 41);
  const Tensor dy = random_tensor(tokens, 3, 3);
  Recipe requantised = preset("rowwise");
  requantised.backward = BackwardCodes::Requantised;
  Recipe float_digits = preset("approach2");  // 2*gamma is no integer of its step
  float_digits.gamma = 3.7F;
  float_digits.backward_x = BackwardX::Split;
  for (const Recipe& recipe : {preset("rowwise"), requantised, float_digits}) {
    const QuantizedWeight weight = prepare_weight(view(w), recipe);
    const LinearResult result = linear_forward(view(x), weight, nullptr);
    const LinearGradients g = linear_backward(view(dy), weight, result.saved);
    const testing::MatrixD dw = dy.map().cast<double>().transpose() * x.map().cast<double>();
    EXPECT_LT((g.dw.map().cast<double>() - dw).norm(), 0.05 * dw.norm()) << recipe.name;
  }
}

TEST(LinearEdges, ShapesThatDisagreeAreNamed) {
  const Tensor w = random_tensor(5, 7, 1);
  const Tensor x = random_tensor(3, 8, 2);
  const QuantizedWeight weight = prepare_weight(view(w), preset("rowwise"));
  EXPECT_THAT(message_of([&] { linear_forward(view(x), weight, nullptr); }), HasSubstr("[3, 8]"));
}

}  // namespace
}  // namespace fixtune
