#include "autograd_testing.h"
#include "fixtune/autograd/add.h"
#include "fixtune/autograd/gelu.h"
#include "fixtune/autograd/layer_norm.h"
#include "fixtune/autograd/residual_norm.h"

namespace fixtune {
namespace {

using test::random_tensor;
using test::weighted_sum;

TEST(Tape, RecordsNothingInInference) {
  const Variable x(random_tensor(3, 4, 1), true);
  Tape tape(/*recording=*/false);
  const Variable y = activation(tape, x, Activation::Gelu);
  EXPECT_FALSE(y.requires_grad());
  EXPECT_EQ(tape.saved_bytes(), 0U);
}

TEST(Tape, RecordsNothingWhereAllInputsAreFrozen) {
  Tape tape;
  const Variable y = activation(tape, Variable(random_tensor(3, 4, 1)), Activation::Gelu);
  EXPECT_FALSE(y.requires_grad());
  EXPECT_EQ(tape.saved_bytes(), 0U);
}

TEST(Tape, CountsASharedValueOnceAndNoParameters) {
  const Variable x(random_tensor(3, 16, 1), true);
  const Variable gamma(Tensor::filled(1, 16, 1.0F), true, "gamma");
  const Variable beta(Tensor::zeros(1, 16), true, "beta");
  Tape tape;
  layer_norm(tape, x, gamma, beta, 1e-12F);
  EXPECT_EQ(tape.saved_bytes(), x.value().bytes() + 2 * 3 * sizeof(float));
  layer_norm(tape, x, gamma, beta, 1e-12F);
  EXPECT_EQ(tape.saved_bytes(), x.value().bytes() + 4 * 3 * sizeof(float));
}

TEST(Tape, CountsWhatEachOperationKeepsOfItsOwn) {
  const Variable x(random_tensor(3, 16, 1), true);
  const Variable gamma(Tensor::filled(1, 16, 1.0F), true, "gamma");
  const auto saved = [](const auto& operation) {
    Tape tape;
    operation(tape);
    return tape.saved_bytes();
  };
  const std::size_t bytes = x.value().bytes();
  EXPECT_EQ(saved([&](Tape& t) { activation(t, x, Activation::Gelu); }), bytes);
  EXPECT_EQ(saved([&](Tape& t) { activation(t, x, Activation::Gelu, Kept::BF16); }), bytes / 2);
  EXPECT_EQ(saved([&](Tape& t) { residual_norm(t, x, x, gamma, gamma, {}); }), bytes + 3 * sizeof(float));
  EXPECT_EQ(saved([&](Tape& t) { residual_norm(t, x, x, gamma, gamma, {.kept = Kept::BF16}); }),
            bytes / 2 + 3 * sizeof(float));
}

TEST(Tape, SumsTheGradientsOfEveryUseAndOfEveryCall) {
  const Variable x(random_tensor(2, 3, 1), true);
  for (int micro_batch = 1; micro_batch <= 2; ++micro_batch) {
    Tape tape;
    const Variable y = add(tape, add(tape, x, x), scale(tape, x, 3.0F));
    tape.backward(weighted_sum(tape, y, Tensor::filled(2, 3, 1.0F)), 0.5F);
    EXPECT_EQ(tape.saved_bytes(), 0U);
    EXPECT_FLOAT_EQ(x.grad()(1, 2), 2.5F * static_cast<float>(micro_batch));
  }
}

TEST(Tape, FreesActivationsOnTheWayBack) {
  const Variable x(random_tensor(2, 3, 1), true);
  Tape tape;
  std::weak_ptr<const Tensor> middle;
  Variable loss;
  {
    const Variable y = tanh(tape, x);
    middle = y.shared_value();
    loss = weighted_sum(tape, tanh(tape, y), Tensor::filled(2, 3, 1.0F));
  }
  EXPECT_FALSE(middle.expired());
  tape.backward(loss);
  EXPECT_TRUE(middle.expired());
}

TEST(Tape, RefusesALossThatDependsOnNothing) {
  Tape tape;
  EXPECT_THROW(tape.backward(Variable(Tensor::zeros(1, 1))), Error);
  EXPECT_THROW(tape.backward(Variable(Tensor::zeros(2, 1), true)), Error);
  EXPECT_THROW(tape.backward(Variable()), Error);
}

TEST(Gradient, RefusesAnotherShape) {
  const Variable x(Tensor::zeros(2, 3), true, "x");
  EXPECT_THROW(x.gradient()->accumulate(Tensor::zeros(3, 2)), Error);
}

}  // namespace
}  // namespace fixtune
