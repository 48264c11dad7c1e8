#include "autograd_testing.h"
#include "fixtune/autograd/add.h"
#include "fixtune/autograd/attention.h"
#include "fixtune/autograd/dropout.h"
#include "fixtune/autograd/embedding.h"
#include "fixtune/autograd/gelu.h"
#include "fixtune/autograd/layer_norm.h"
#include "fixtune/autograd/loss.h"
#include "fixtune/autograd/residual_norm.h"
#include "fixtune/autograd/select_rows.h"

namespace fixtune {
namespace {

using test::check_gradients;
using test::random_tensor;
using Inputs = std::vector<Variable>;

const RandomStream stream(RandomKey{.seed = 5, .step = 1}, 7);

TEST(Gradients, Add) {
  check_gradients([](Tape& t, const Inputs& x) { return add(t, x[0], x[1]); },
                  {random_tensor(3, 17, 1), random_tensor(3, 17, 2)});
}
TEST(Gradients, Scale) {
  check_gradients([](Tape& t, const Inputs& x) { return scale(t, x[0], -1.5F); }, {random_tensor(3, 17, 1)});
}
TEST(Gradients, Dropout) {
  check_gradients([](Tape& t, const Inputs& x) { return dropout(t, x[0], 0.4F, stream); }, {random_tensor(5, 33, 1)});
}
TEST(Gradients, Embedding) {
  const std::vector<std::int32_t> ids{3, 0, 3, 6, 3};
  check_gradients([&](Tape& t, const Inputs& x) { return embedding(t, x[0], ids, "words"); },
                  {random_tensor(7, 90, 1)});
}
TEST(Gradients, EmbeddingSum) {
  const std::vector<std::int32_t> words{3, 0, 3, 6, 3}, segments{0, 1, 1, 0, 0}, positions{0, 1, 2, 3, 0};
  check_gradients(
      [&](Tape& t, const Inputs& x) {
        return embedding_sum(t, {{x[0], words, "words"}, {x[1], segments, "segments"}, {x[2], positions, "positions"}});
      },
      {random_tensor(7, 20, 1), random_tensor(2, 20, 2), random_tensor(4, 20, 3)});
}
TEST(Gradients, SelectRows) {
  const std::vector<Index> rows{2, 0, 2};
  check_gradients([&](Tape& t, const Inputs& x) { return select_rows(t, x[0], rows); }, {random_tensor(4, 9, 1)});
}
TEST(Gradients, LayerNorm) {
  check_gradients([](Tape& t, const Inputs& x) { return layer_norm(t, x[0], x[1], x[2], 1e-5F); },
                  {random_tensor(5, 37, 1), random_tensor(1, 37, 2), random_tensor(1, 37, 3)});
}
TEST(Gradients, LayerNormOfManyRows) {
  check_gradients([](Tape& t, const Inputs& x) { return layer_norm(t, x[0], x[1], x[2], 1e-5F); },
                  {random_tensor(200, 4, 1), random_tensor(1, 4, 2), random_tensor(1, 4, 3)}, 2e-2, 1e-3F);
}
TEST(Gradients, ResidualNorm) {
  for (const float probability : {0.0F, 0.3F})
    check_gradients(
        [&](Tape& t, const Inputs& x) {
          return residual_norm(t, x[0], x[1], x[2], x[3],
                               {.epsilon = 1e-5F, .dropout = probability, .random = stream});
        },
        {random_tensor(4, 37, 1), random_tensor(4, 37, 4), random_tensor(1, 37, 2), random_tensor(1, 37, 3)});
}
TEST(Gradients, ResidualNormOfManyRows) {
  check_gradients(
      [&](Tape& t, const Inputs& x) { return residual_norm(t, x[0], x[1], x[2], x[3], {.epsilon = 1e-5F}); },
      {random_tensor(130, 4, 1), random_tensor(130, 4, 4), random_tensor(1, 4, 2), random_tensor(1, 4, 3)}, 2e-2,
      1e-3F);
}
TEST(Gradients, Activations) {
  for (const Activation kind : {Activation::Gelu, Activation::GeluTanh})
    check_gradients([&](Tape& t, const Inputs& x) { return activation(t, x[0], kind); }, {random_tensor(7, 19, 1, 4.0F)});
  check_gradients([](Tape& t, const Inputs& x) { return tanh(t, x[0]); }, {random_tensor(7, 19, 1, 3.0F)});
}
TEST(Gradients, Relu) {
  Tensor x = random_tensor(7, 19, 1);
  for (Index i = 0; i < x.size(); ++i) x.data()[i] += x.data()[i] < 0.0F ? -0.1F : 0.1F;
  check_gradients([](Tape& t, const Inputs& in) { return activation(t, in[0], Activation::Relu); }, {x});
}
TEST(Gradients, Attention) {
  const std::vector<Index> offsets{0, 4, 4, 5, 12};
  const std::vector<Tensor> qkv{random_tensor(12, 12, 1, 2.0F), random_tensor(12, 12, 2, 2.0F),
                                random_tensor(12, 12, 3, 2.0F)};
  for (const float probability : {0.0F, 0.3F}) {
    const AttentionOptions options{.heads = 3, .dropout = probability, .random = stream};
    check_gradients([&](Tape& t, const Inputs& x) { return attention(t, x[0], x[1], x[2], offsets, options); }, qkv);
  }
}
TEST(Gradients, CrossEntropy) {
  const std::vector<std::int32_t> labels{1, -100, 0, 3};
  check_gradients([&](Tape& t, const Inputs& x) { return cross_entropy(t, x[0], labels); },
                  {random_tensor(4, 4, 1, 3.0F)});
}
TEST(Gradients, MeanSquaredError) {
  const std::vector<float> targets{1.0F, -2.0F, 0.5F};
  check_gradients([&](Tape& t, const Inputs& x) { return mean_squared_error(t, x[0], targets); },
                  {random_tensor(3, 1, 1, 3.0F)});
}

}  // namespace
}  // namespace fixtune
