#include "fixtune/autograd/loss.h"

#include "autograd_testing.h"
#include "operation_fixtures.h"

namespace fixtune {
namespace {

using test::expect_near;
using test::operation_fixture;
using test::random_tensor;
using test::tensor_from;

TEST(CrossEntropy, EqualsPyTorch) {
  const auto f = operation_fixture("cross_entropy");
  const auto labels = f["labels"].get<std::vector<std::int32_t>>();
  const Variable logits(tensor_from(f["logits"]), true);
  Tape tape;
  const Variable loss = cross_entropy(tape, logits, labels);
  EXPECT_NEAR(loss.value()(0, 0), f["loss"].get<double>(), 1e-6);
  tape.backward(loss);
  expect_near(logits.grad(), tensor_from(f["gradients"][0]), 1e-7);
}

TEST(CrossEntropy, WithoutAnyLabelIsZeroAndHasAZeroGradient) {
  const std::vector<std::int32_t> labels{-100, -100};
  const Variable logits(random_tensor(2, 3, 1), true);
  Tape tape;
  const Variable loss = cross_entropy(tape, logits, labels);
  EXPECT_EQ(loss.value()(0, 0), 0.0F);
  tape.backward(loss);
  expect_near(logits.grad(), Tensor::zeros(2, 3), 0.0);
}

TEST(CrossEntropy, TakesLogitsFarApart) {
  const std::vector<std::int32_t> labels{0};
  Tensor far(1, 2);
  far(0, 0) = -1e4F;
  far(0, 1) = 1e4F;
  const Variable logits(far, true);
  Tape tape;
  const Variable loss = cross_entropy(tape, logits, labels);
  EXPECT_FLOAT_EQ(loss.value()(0, 0), 2e4F);
  tape.backward(loss);
  EXPECT_FLOAT_EQ(logits.grad()(0, 0), -1.0F);
  EXPECT_FLOAT_EQ(logits.grad()(0, 1), 1.0F);
}

TEST(CrossEntropy, RefusesALabelOutsideTheClasses) {
  const Variable logits(random_tensor(2, 3, 1), true);
  Tape tape;
  for (const std::int32_t wrong : {3, -1}) {
    const std::vector<std::int32_t> labels{0, wrong};
    EXPECT_THROW(cross_entropy(tape, logits, labels), Error);
  }
  const std::vector<std::int32_t> short_list{0};
  EXPECT_THROW(cross_entropy(tape, logits, short_list), Error);
}

TEST(MeanSquaredError, EqualsPyTorch) {
  const auto f = operation_fixture("mean_squared_error");
  const auto targets = f["targets"].get<std::vector<float>>();
  const Variable predictions(tensor_from(f["predictions"]), true);
  Tape tape;
  const Variable loss = mean_squared_error(tape, predictions, targets);
  EXPECT_NEAR(loss.value()(0, 0), f["loss"].get<double>(), 1e-6);
  tape.backward(loss);
  expect_near(predictions.grad(), tensor_from(f["gradients"][0]), 1e-6);
}

TEST(MeanSquaredError, OfNothingIsZero) {
  Tape tape;
  EXPECT_EQ(mean_squared_error(tape, Variable(Tensor(0, 1), true), {}).value()(0, 0), 0.0F);
  EXPECT_THROW(mean_squared_error(tape, Variable(Tensor(2, 2)), {}), Error);
}

}  // namespace
}  // namespace fixtune
