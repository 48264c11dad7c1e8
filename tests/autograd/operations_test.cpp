#include <gmock/gmock.h>

#include <algorithm>

#include "autograd_testing.h"
#include "fixtune/autograd/add.h"
#include "fixtune/autograd/dropout.h"
#include "fixtune/autograd/embedding.h"
#include "fixtune/autograd/gelu.h"
#include "fixtune/autograd/layer_norm.h"
#include "fixtune/autograd/residual_norm.h"
#include "fixtune/autograd/select_rows.h"
#include "operation_fixtures.h"

namespace fixtune {
namespace {

using test::expect_near;
using test::operation_fixture;
using test::random_tensor;
using test::run;
using test::tensor_from;

TEST(LayerNorm, EqualsPyTorch) {
  const auto f = operation_fixture("layer_norm");
  const auto result = run([](Tape& t, const auto& x) { return layer_norm(t, x[0], x[1], x[2], 1e-12F); },
                          {tensor_from(f["x"]), tensor_from(f["gamma"]), tensor_from(f["beta"])},
                          tensor_from(f["weight"]));
  expect_near(result.output, tensor_from(f["y"]), 3e-6);
  for (std::size_t i = 0; i < 3; ++i) expect_near(result.gradients[i], tensor_from(f["gradients"][i]), 5e-6);
}

TEST(LayerNorm, RefusesParametersOfAnotherSize) {
  Tape tape;
  const Variable x(random_tensor(2, 4, 1));
  EXPECT_THROW(layer_norm(tape, x, Variable(Tensor::zeros(1, 3)), Variable(Tensor::zeros(1, 4)), 1e-12F), Error);
}

TEST(LayerNorm, NamesTheRowThatIsNotFiniteAndTakesAConstantOne) {
  Tape tape;
  const Variable gamma(Tensor::filled(1, 4, 1.0F), true, "encoder.layer.3.LayerNorm.weight");
  const Variable beta(Tensor::filled(1, 4, 0.5F), true);
  // The square of 1e30 is past FP32: its row would be normalised to zeros.
  for (const float bad : {std::nanf(""), HUGE_VALF, -HUGE_VALF, 1e30F}) {
    Tensor x = random_tensor(3, 4, 1);
    x(2, 1) = bad;
    const Variable zero(Tensor::zeros(3, 4));
    for (const auto& normalise : {std::function<Variable()>([&] { return layer_norm(tape, Variable(x), gamma, beta, 1e-12F); }),
                                  std::function<Variable()>([&] { return residual_norm(tape, zero, Variable(x), gamma, beta, {}); })}) {
      try {
        normalise();
        FAIL() << bad;
      } catch (const Error& error) {
        EXPECT_THAT(error.what(), testing::HasSubstr("encoder.layer.3.LayerNorm.weight is not finite at row 2"));
      }
    }
  }
  const Variable y = layer_norm(tape, Variable(Tensor::filled(2, 4, 7.0F)), gamma, beta, 1e-12F);
  EXPECT_EQ(y.value()(1, 3), 0.5F);
}

TEST(ResidualNorm, IsDropoutThenSumThenLayerNorm) {
  const RandomStream stream(RandomKey{.seed = 3}, 4);
  const std::vector<Tensor> inputs{random_tensor(70, 80, 1), random_tensor(70, 80, 2), random_tensor(1, 80, 3),
                                   random_tensor(1, 80, 4)};
  const Tensor weight = random_tensor(70, 80, 5);
  const auto fused = [&](Kept kept) {
    return run(
        [&](Tape& t, const auto& x) {
          return residual_norm(t, x[0], x[1], x[2], x[3], {.dropout = 0.2F, .random = stream, .kept = kept});
        },
        inputs, weight);
  };
  const auto apart = run(
      [&](Tape& t, const auto& x) {
        return layer_norm(t, add(t, x[0], dropout(t, x[1], 0.2F, stream)), x[2], x[3], 1e-12F);
      },
      inputs, weight);
  const auto exact = fused(Kept::FP32);
  const auto bf16 = fused(Kept::BF16);
  expect_near(exact.output, apart.output, 1e-6);
  EXPECT_TRUE(test::same_bits(exact.output, bf16.output));
  for (std::size_t i = 0; i < 4; ++i) {
    expect_near(exact.gradients[i], apart.gradients[i], 5e-6);
    expect_near(exact.gradients[i], bf16.gradients[i], 6e-2);
  }
  // The gradient of beta reads no activation.
  EXPECT_TRUE(test::same_bits(exact.gradients[3], bf16.gradients[3]));
}

TEST(ResidualNorm, RefusesShapesThatDisagree) {
  Tape tape;
  const Variable x(random_tensor(2, 4, 1));
  const Variable gamma(Tensor::zeros(1, 4));
  EXPECT_THROW(residual_norm(tape, x, Variable(random_tensor(3, 4, 1)), gamma, gamma, {}), Error);
  EXPECT_THROW(residual_norm(tape, x, x, gamma, Variable(Tensor::zeros(1, 3)), {}), Error);
  EXPECT_THROW(residual_norm(tape, x, x, gamma, gamma, {.dropout = 1.0F}), Error);
}

TEST(Activations, EqualPyTorch) {
  const auto check = [](const char* name, const test::Operation& operation) {
    SCOPED_TRACE(name);
    const auto f = operation_fixture(name);
    const auto result = run(operation, {tensor_from(f["x"])}, tensor_from(f["weight"]));
    expect_near(result.output, tensor_from(f["y"]), 1e-6);
    expect_near(result.gradients[0], tensor_from(f["gradients"][0]), 2e-6);
  };
  check("gelu", [](Tape& t, const auto& x) { return activation(t, x[0], Activation::Gelu); });
  check("gelu_tanh", [](Tape& t, const auto& x) { return activation(t, x[0], Activation::GeluTanh); });
  check("relu", [](Tape& t, const auto& x) { return activation(t, x[0], Activation::Relu); });
  check("tanh", [](Tape& t, const auto& x) { return tanh(t, x[0]); });
}

TEST(Activations, ErrorOfGeluIsBelowAMillionth) {
  Tensor x(1, 200001);
  for (Index i = 0; i < x.size(); ++i) x(0, i) = static_cast<float>(i - 100000) * 1e-4F;
  Tape tape(/*recording=*/false);
  const Variable y = activation(tape, Variable(x), Activation::Gelu);
  for (Index i = 0; i < x.size(); ++i) {
    const double exact = 0.5 * x(0, i) * std::erfc(-static_cast<double>(x(0, i)) / std::sqrt(2.0));
    // Absolute near 0, where it matters; above, FP32 itself rounds more coarsely.
    ASSERT_NEAR(y.value()(0, i), exact, 1e-6 * std::max(1.0, std::abs(exact) / 2)) << x(0, i);
  }
}

TEST(Activations, KeptInBf16ChangeTheGradientByItsRoundingOnly) {
  const std::vector<Tensor> x{random_tensor(9, 33, 1, 4.0F)};
  const Tensor weight = Tensor::filled(9, 33, 1.0F);
  for (const Activation kind : {Activation::Gelu, Activation::GeluTanh, Activation::Relu}) {
    const auto with = [&](Kept kept) {
      return run([&](Tape& t, const auto& in) { return activation(t, in[0], kind, kept); }, x, weight);
    };
    const auto exact = with(Kept::FP32);
    const auto bf16 = with(Kept::BF16);
    EXPECT_TRUE(test::same_bits(exact.output, bf16.output));
    for (Index i = 0; i < exact.output.size(); ++i) {
      const float slope = exact.gradients[0].data()[i];
      EXPECT_NEAR(bf16.gradients[0].data()[i], slope, std::abs(slope) / 256);
    }
    // Inference computes the same values.
    Tape tape(/*recording=*/false);
    EXPECT_TRUE(test::same_bits(activation(tape, Variable(x[0]), kind).value(), exact.output));
  }
}

TEST(Activations, KeepNanAndTakeHugeValues) {
  const float huge = 1e30F;
  Tensor x(1, 3);
  x(0, 0) = std::nanf("");
  x(0, 1) = huge;
  x(0, 2) = -huge;
  for (const Activation kind : {Activation::Gelu, Activation::GeluTanh, Activation::Relu}) {
    const auto result = run([&](Tape& t, const auto& in) { return activation(t, in[0], kind); }, {x},
                            Tensor::filled(1, 3, 1.0F));
    EXPECT_TRUE(std::isnan(result.output(0, 0)));
    EXPECT_EQ(result.output(0, 1), huge);
    EXPECT_NEAR(result.output(0, 2), 0.0F, 1e-6 * huge);
    EXPECT_NEAR(result.gradients[0](0, 1), 1.0F, 1e-6);
    EXPECT_NEAR(result.gradients[0](0, 2), 0.0F, 1e-6);
  }
}

TEST(Embedding, NamesTheIdAndItsPosition) {
  Tape tape;
  const Variable table(random_tensor(4, 3, 1));
  const std::vector<std::int32_t> ids{0, 3, 4};
  try {
    embedding(tape, table, ids, "word embeddings");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "word embeddings: id 4 at position 2 is outside the table of 4 rows");
  }
  const std::vector<std::int32_t> negative{-1};
  EXPECT_THROW(embedding(tape, table, negative, "word embeddings"), Error);
}

TEST(EmbeddingSum, EqualsTheSumOfItsTables) {
  const Variable words(random_tensor(9, 21, 1));
  const Variable positions(random_tensor(4, 21, 2));
  const std::vector<std::int32_t> ids{8, 0, 3, 8}, places{0, 1, 2, 3};
  Tape tape(/*recording=*/false);
  const Variable sum = embedding_sum(tape, {{words, ids, "words"}, {positions, places, "positions"}});
  const Variable apart = add(tape, embedding(tape, words, ids, "words"), embedding(tape, positions, places, "positions"));
  EXPECT_TRUE(test::same_bits(sum.value(), apart.value()));
  const std::vector<std::int32_t> fewer{0, 1};
  EXPECT_THROW(embedding_sum(tape, {{words, ids, "words"}, {positions, fewer, "positions"}}), Error);
}

TEST(Embedding, LeavesNothingOfTheLastStepInTheTable) {
  const Variable table(random_tensor(6, 3, 1), true);
  const auto step = [&](const std::vector<std::int32_t>& ids) {
    Tape tape;
    const Variable y = embedding(tape, table, ids, "words");
    tape.backward(test::weighted_sum(tape, y, Tensor::filled(y.rows(), 3, 1.0F)));
  };
  step({1, 4});
  step({4, 5});  // a second micro-batch
  EXPECT_EQ(table.grad()(4, 0), 2.0F);
  for (const std::vector<std::int32_t>& ids : {std::vector<std::int32_t>{2}, {0, 2}, {1}}) {
    Variable(table).zero_grad();
    EXPECT_TRUE(table.grad().empty());
    step(ids);
    for (Index r = 0; r < 6; ++r)
      EXPECT_EQ(table.grad()(r, 1), std::find(ids.begin(), ids.end(), r) == ids.end() ? 0.0F : 1.0F);
  }
  // A dense gradient on top: all rows are in use.
  table.gradient()->accumulate(Tensor::filled(6, 3, 1.0F));
  Variable(table).zero_grad();
  step({3});
  EXPECT_EQ(table.grad()(0, 0), 0.0F);
}

TEST(Dropout, KeepsWhatTheStreamSays) {
  const RandomStream stream(RandomKey{.seed = 3}, 4);
  const Tensor x = Tensor::filled(31, 33, 2.0F);
  Tape tape(/*recording=*/false);
  const Variable y = dropout(tape, Variable(x), 0.25F, stream);
  Index kept = 0;
  for (Index i = 0; i < x.size(); ++i) {
    const bool keep = stream.uniform(static_cast<std::uint64_t>(i)) >= 0.25F;
    ASSERT_FLOAT_EQ(y.value().data()[i], keep ? 2.0F / 0.75F : 0.0F) << i;
    kept += keep ? 1 : 0;
  }
  EXPECT_NEAR(static_cast<double>(kept) / static_cast<double>(x.size()), 0.75, 0.04);
}

TEST(Dropout, WithProbabilityZeroIsNoOperation) {
  Tape tape;
  const Variable x(random_tensor(2, 2, 1), true);
  EXPECT_EQ(dropout(tape, x, 0.0F, {}).shared_value(), x.shared_value());
  EXPECT_THROW(dropout(tape, x, 1.0F, {}), Error);
}

TEST(Operations, RefuseShapesThatDisagree) {
  Tape tape;
  const Variable a(Tensor::zeros(2, 3));
  EXPECT_THROW(add(tape, a, Variable(Tensor::zeros(3, 2))), Error);
  const std::vector<Index> rows{2};
  EXPECT_THROW(select_rows(tape, a, rows), Error);
}

TEST(Operations, TakeEmptyInputs) {
  Tape tape;
  const Variable x(Tensor(0, 8), true);
  const Variable gamma(Tensor::filled(1, 8, 1.0F), true);
  const Variable y = activation(tape, layer_norm(tape, x, gamma, gamma, 1e-12F), Activation::Gelu);
  EXPECT_EQ(y.rows(), 0);
  tape.backward(test::weighted_sum(tape, y, Tensor(0, 8)));
  EXPECT_TRUE(gamma.grad().empty());
}

}  // namespace
}  // namespace fixtune
