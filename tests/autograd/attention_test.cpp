#include "fixtune/autograd/attention.h"

#include "autograd_testing.h"
#include "operation_fixtures.h"

namespace fixtune {
namespace {

using test::expect_near;
using test::operation_fixture;
using test::random_tensor;
using test::run;
using test::same_bits;
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

// The definition, in double: softmax(Q K^T / sqrt(d)) with dropped weights, times V, head by head.
Tensor defined_attention(const std::vector<Tensor>& qkv, const std::vector<Index>& offsets,
                         const AttentionOptions& options) {
  const Index size = qkv[0].cols() / options.heads;
  Tensor y = Tensor::zeros(qkv[0].rows(), qkv[0].cols());
  std::uint64_t weights_row = 0;
  for (std::size_t s = 0; s + 1 < offsets.size(); ++s)
    for (Index first = 0; first < y.cols(); first += size)
      for (Index query = offsets[s]; query < offsets[s + 1]; ++query, ++weights_row) {
        std::vector<double> weights;
        double sum = 0.0;
        for (Index key = offsets[s]; key < offsets[s + 1]; ++key) {
          double score = 0.0;
          for (Index c = first; c < first + size; ++c)
            score += static_cast<double>(qkv[0](query, c)) * static_cast<double>(qkv[1](key, c));
          weights.push_back(std::exp(score / std::sqrt(static_cast<double>(size))));
          sum += weights.back();
        }
        for (Index c = first; c < first + size; ++c) {
          double value = 0.0;
          for (std::size_t k = 0; k < weights.size(); ++k)
            if (options.random.uniform(weights_row << 32U | k) >= options.dropout)
              value += weights[k] * static_cast<double>(qkv[2](offsets[s] + static_cast<Index>(k), c));
          y(query, c) = static_cast<float>(value / sum / (1.0 - static_cast<double>(options.dropout)));
        }
      }
  return y;
}

const RandomStream stream(RandomKey{.seed = 6}, 2);

TEST(Attention, EqualsItsDefinitionAtEveryLength) {
  std::vector<Index> offsets{0};
  for (const Index length : {1, 7, 16, 33, 48, 49, 100, 131}) offsets.push_back(offsets.back() + length);
  for (const Index hidden : {2 * 64, 2 * 20, 2 * 3})
    for (const float probability : {0.0F, 0.2F}) {
      const AttentionOptions options{.heads = 2, .dropout = probability, .random = stream};
      std::vector<Tensor> qkv;
      for (std::uint64_t i = 0; i < 3; ++i) qkv.push_back(random_tensor(offsets.back(), hidden, i, 2.0F));
      Tape tape(/*recording=*/false);
      const Variable y =
          attention(tape, Variable(qkv[0]), Variable(qkv[1]), Variable(qkv[2]), offsets, options);
      expect_near(y.value(), defined_attention(qkv, offsets, options), 1e-5);
    }
}

// Gradients over several blocks of queries, against the slope of sum(y * weight) along a random direction.
TEST(Attention, HasTheGradientOfItsDefinition) {
  const std::vector<Index> offsets{0, 117, 120};
  const AttentionOptions options{.heads = 2, .dropout = 0.2F, .random = stream};
  std::vector<Tensor> qkv, away;
  for (std::uint64_t i = 0; i < 3; ++i) {
    qkv.push_back(random_tensor(120, 40, i, 2.0F));
    away.push_back(random_tensor(120, 40, 10 + i));
  }
  const Tensor weight = random_tensor(120, 40, 99);
  const auto result = run([&](Tape& t, const auto& x) { return attention(t, x[0], x[1], x[2], offsets, options); },
                          qkv, weight);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto moved = [&](float step) {
      std::vector<Tensor> inputs = qkv;
      for (Index e = 0; e < inputs[i].size(); ++e) inputs[i].data()[e] += step * away[i].data()[e];
      const Tensor y = defined_attention(inputs, offsets, options);
      double sum = 0.0;
      for (Index e = 0; e < y.size(); ++e)
        sum += static_cast<double>(y.data()[e]) * static_cast<double>(weight.data()[e]);
      return sum;
    };
    double slope = 0.0;
    for (Index e = 0; e < away[i].size(); ++e)
      slope += static_cast<double>(result.gradients[i].data()[e]) * static_cast<double>(away[i].data()[e]);
    const double measured = (moved(1e-2F) - moved(-1e-2F)) / 2e-2;
    EXPECT_NEAR(slope, measured, 2e-3 * std::max(1.0, std::abs(measured))) << i;
  }
}

TEST(Attention, KeepsBf16WithTheSameForwardAndCloseGradients) {
  const std::vector<Index> offsets{0, 50, 83};
  const std::vector<Tensor> qkv{random_tensor(83, 24, 1, 2.0F), random_tensor(83, 24, 2, 2.0F),
                                random_tensor(83, 24, 3, 2.0F)};
  const auto with = [&](Kept kept, FloatKind products) {
    const AttentionOptions options{.heads = 3, .dropout = 0.1F, .random = stream, .products = products, .kept = kept};
    return run([&](Tape& t, const auto& x) { return attention(t, x[0], x[1], x[2], offsets, options); }, qkv,
               random_tensor(83, 24, 9));
  };
  const auto exact = with(Kept::FP32, FloatKind::FP32);
  const auto kept = with(Kept::BF16, FloatKind::FP32);
  EXPECT_TRUE(same_bits(exact.output, kept.output));
  for (std::size_t i = 0; i < 3; ++i) expect_near(exact.gradients[i], kept.gradients[i], 2e-2);
  // Products that round to BF16 lose nothing by it.
  const auto rounded = with(Kept::FP32, FloatKind::BF16);
  const auto rounded_kept = with(Kept::BF16, FloatKind::BF16);
  expect_near(exact.output, rounded.output, 2e-2);
  EXPECT_TRUE(same_bits(rounded.output, rounded_kept.output));
  for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(same_bits(rounded.gradients[i], rounded_kept.gradients[i]));
}

TEST(Attention, KeepsNothingOfTheSizeOfItsWeights) {
  const Variable x(random_tensor(90, 8, 1), true);
  const std::vector<Index> offsets{0, 30, 90};
  for (const Kept kept : {Kept::FP32, Kept::BF16}) {
    Tape tape;
    attention(tape, x, x, x, offsets, {.heads = 4, .kept = kept});
    const std::size_t operands = kept == Kept::FP32 ? x.value().bytes() : 3 * x.value().bytes() / 2;
    const std::size_t rows = 2 * 4 * 90 * sizeof(float);
    EXPECT_GE(tape.saved_bytes(), operands + rows);
    EXPECT_LE(tape.saved_bytes(), operands + rows + 1024);
  }
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
