#include "fixtune/autograd/attention.h"

#include "autograd_testing.h"
#include "operation_fixtures.h"

namespace fixtune {
namespace {

using test::expect_near;
using test::operation_fixture;
using test::random_tensor;
using test::run;
using test::tensor_from;

TEST(Attention, EqualsPyTorch) {
  const auto f = operation_fixture("attention");
  const auto offsets = f["offsets"].get<std::vector<Index>>();
  const AttentionOptions options{.heads = f["heads"].get<Index>()};
  const auto result = run([&](Tape& t, const auto& x) { return attention(t, x[0], x[1], x[2], offsets, options); },
                          {tensor_from(f["q"]), tensor_from(f["k"]), tensor_from(f["v"])}, tensor_from(f["weight"]));
  expect_near(result.output, tensor_from(f["y"]), 2e-6);
  for (std::size_t i = 0; i < 3; ++i) expect_near(result.gradients[i], tensor_from(f["gradients"][i]), 3e-6);
}

TEST(Attention, ASentenceDoesNotSeeItsNeighbours) {
  const Tensor x = random_tensor(9, 8, 1);
  Tensor changed = x;
  for (Index c = 0; c < 8; ++c) changed(8, c) += 1.0F;
  const std::vector<Index> offsets{0, 4, 9};
  Tape tape(/*recording=*/false);
  const auto attend = [&](const Tensor& t) {
    return attention(tape, Variable(t), Variable(t), Variable(t), offsets, {.heads = 2});
  };
  const Variable a = attend(x);
  const Variable b = attend(changed);
  EXPECT_EQ(std::memcmp(a.value().data(), b.value().data(), 4 * 8 * sizeof(float)), 0);
  EXPECT_NE(a.value()(4, 0), b.value()(4, 0));
}

TEST(Attention, TakesScoresFarApart) {
  Tensor q(2, 1);
  q(0, 0) = 1e4F;
  q(1, 0) = -1e4F;
  const std::vector<Index> offsets{0, 2};
  const auto result = run([&](Tape& t, const auto& x) { return attention(t, x[0], x[1], x[2], offsets, {}); },
                          {q, q, q}, Tensor::filled(2, 1, 1.0F));
  EXPECT_EQ(result.output(0, 0), 1e4F);
  EXPECT_EQ(result.output(1, 0), -1e4F);
  for (const Tensor& g : result.gradients)
    for (Index i = 0; i < 2; ++i) EXPECT_TRUE(std::isfinite(g(i, 0)));
}

TEST(Attention, CountsItsWeightsAsSaved) {
  const Variable x(random_tensor(5, 8, 1), true);
  const std::vector<Index> offsets{0, 2, 5};
  Tape tape;
  attention(tape, x, x, x, offsets, {.heads = 4});
  EXPECT_EQ(tape.saved_bytes(), x.value().bytes() + 4 * (4 + 9) * sizeof(float));
}

TEST(Attention, RefusesWrongShapesAndOffsets) {
  Tape tape;
  const Variable x(random_tensor(5, 8, 1));
  const auto attend = [&](const std::vector<Index>& offsets, const AttentionOptions& options) {
    attention(tape, x, x, x, offsets, options);
  };
  EXPECT_THROW(attend({0, 4}, {}), Error);
  EXPECT_THROW(attend({1, 5}, {}), Error);
  EXPECT_THROW(attend({0, 6, 5}, {}), Error);
  EXPECT_THROW(attend({}, {}), Error);
  EXPECT_THROW(attend({0, 5}, {.heads = 3}), Error);
  EXPECT_THROW(attend({0, 5}, {.heads = 0}), Error);
  EXPECT_THROW(attend({0, 5}, {.dropout = 1.0F}), Error);
  const std::vector<Index> offsets{0, 5};
  EXPECT_THROW(attention(tape, x, Variable(random_tensor(4, 8, 1)), x, offsets, {}), Error);
}

}  // namespace
}  // namespace fixtune
