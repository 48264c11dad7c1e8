#include <gtest/gtest.h>

#include <map>
#include <string>

#include "fixtune/autograd/loss.h"
#include "tiny_bert.h"

namespace fixtune {
namespace {

using namespace testing;

TEST(Bert, LogitsEqualThoseOfTransformers) { EXPECT_LT(difference_from_reference(tiny_bert()), 1e-5F); }

TEST(Bert, EveryGradientEqualsThatOfTransformers) {
  Bert bert(tiny_bert(), options());
  Tape tape;
  Pass pass{tape, {}, false, {}};
  const auto labels = reference_step().at("labels").get<std::vector<std::int32_t>>();
  const Variable loss = cross_entropy(tape, bert(pass, reference_batch()), labels);
  EXPECT_NEAR(loss.value()(0, 0), reference_step().at("loss").get<float>(), 1e-5);
  tape.backward(loss);
  const Json gradients = reference_step().at("gradients");
  for (const Parameter& p : bert.parameters()) {
    const auto expected = gradients.at(p.variable.name()).get<std::vector<float>>();
    ASSERT_EQ(static_cast<std::size_t>(p.variable.grad().size()), expected.size()) << p.variable.name();
    for (std::size_t i = 0; i < expected.size(); ++i)
      EXPECT_NEAR(p.variable.grad().data()[i], expected[i], 2e-5) << p.variable.name() << " " << i;
  }
}

TEST(Bert, ASentenceDoesNotDependOnItsNeighbours) {
  for (const char* recipe : {"fp32", "rowwise"}) {
    Bert bert(tiny_bert(), options(recipe));
    const Tensor together = logits_of(bert);
    const Json step = reference_step();
    for (std::size_t i = 0; i < 2; ++i) {
      const std::vector<Encoding> one{{step["ids"][i].get<std::vector<std::int32_t>>(),
                                       step["segments"][i].get<std::vector<std::int32_t>>()}};
      const std::vector<float> label{0.0F};
      const std::vector<Index> index{0};
      Tape tape(/*recording=*/false);
      Pass pass{tape, {}, false, {}};
      const Tensor alone = bert(pass, pack(one, label, index)).value();
      for (Index c = 0; c < 2; ++c)
        EXPECT_NEAR(alone(0, c), together(static_cast<Index>(i), c), 1e-6) << recipe;
    }
  }
}

TEST(Bert, FrozenWeightsGetNoGradient) {
  Bert bert(tiny_bert(), options("rowwise"));
  Linear& frozen = bert.layers()[0].intermediate;
  frozen.weight.set_requires_grad(false);
  Tape tape;
  Pass pass{tape, {}, true, {}};
  const std::vector<std::int32_t> labels{1, 0};
  tape.backward(cross_entropy(tape, bert(pass, reference_batch()), labels));
  EXPECT_TRUE(frozen.weight.grad().empty());
  EXPECT_FALSE(frozen.bias.grad().empty());
  EXPECT_FALSE(bert.layers()[0].query.weight.grad().empty());
}

TEST(Bert, PatternsReachPoolerAndHeadTheDefaultDoesNot) {
  Bert fp32(tiny_bert(), options());
  const Tensor exact = logits_of(fp32);
  for (const char* layer : {"pooler.dense", "classifier"}) {
    BertOptions o = options();
    o.recipes.layers.emplace_back(layer, preset("rowwise"));
    Bert bert(tiny_bert(), o);
    const Tensor logits = logits_of(bert);
    const float difference = (logits.map() - exact.map()).cwiseAbs().maxCoeff();
    EXPECT_GT(difference, 1e-6F) << layer;
    EXPECT_LT(difference, 0.02F) << layer;
  }
  // The encoder's layers all FP32 by a pattern, attention too, the default integer: what is left is the float model.
  BertOptions o = options("rowwise");
  o.recipes.attention = Arithmetic::FP32;
  o.recipes.layers.emplace_back("encoder.*", preset("fp32"));
  Bert bert(tiny_bert(), o);
  EXPECT_TRUE(logits_of(bert).map() == exact.map());
}

/// The inputs of the linear layers, as the observer is shown them.
TEST(Bert, TheInputObserverSeesEachInputOnce) {
  for (const char* recipe : {"fp32", "rowwise"}) {
    Bert bert(tiny_bert(), options(recipe));
    Tape tape(/*recording=*/false);
    Pass pass{tape, {}, false, {}};
    std::vector<std::string> names;
    Tensor first;
    pass.input_observer = [&](std::string_view input, ConstMatrixMap x) {
      if (names.empty()) {
        first = Tensor(x.rows(), x.cols());
        first.map() = x;
      }
      names.emplace_back(input);
    };
    const PackedBatch batch = reference_batch();
    bert.encode(pass, batch);
    ASSERT_EQ(names.size(), 4 * bert.layers().size());
    EXPECT_EQ(names[0], "encoder.layer.0.attention.self");
    EXPECT_EQ(names[3], "encoder.layer.0.output.dense");
    Pass silent{tape, {}, false, {}};
    EXPECT_TRUE(first.map() == bert.embed(silent, batch).value().map());
  }
}

/// What the output's gradient of each linear layer must sum to is its bias gradient.
TEST(Bert, TheOutputGradientObserverSeesEachLayerOnceAndChangesNothing) {
  for (const char* recipe : {"fp32", "rowwise"}) {
    Bert watched(tiny_bert(), options(recipe)), alone(tiny_bert(), options(recipe));
    const PackedBatch batch = reference_batch();
    std::map<std::string, Tensor> sums;
    for (Bert* bert : {&watched, &alone}) {
      Tape tape;
      Pass pass{tape, {}, false, {}};
      if (bert == &watched)
        pass.output_gradient_observer = [&](std::string_view layer, ConstMatrixMap dy) {
          Tensor sum(1, dy.cols());
          sum.map() = dy.colwise().sum();
          EXPECT_TRUE(sums.emplace(std::string(layer), std::move(sum)).second) << layer;
        };
      const std::vector<std::int32_t> labels{1, 0};
      tape.backward(cross_entropy(tape, (*bert)(pass, batch), labels));
    }
    std::size_t biases = 0;
    const std::vector<Parameter> parameters = watched.parameters(), others = alone.parameters();
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const Variable& p = parameters[i].variable;
      const Tensor& unwatched = others[i].variable.grad();
      EXPECT_LE((p.grad().map() - unwatched.map()).norm(), 1e-5F * unwatched.map().norm()) << p.name();
      const auto layer = sums.find(p.name().substr(0, p.name().rfind('.')));
      if (!p.name().ends_with(".bias") || layer == sums.end()) continue;
      ++biases;
      // The key bias has no gradient but rounding.
      EXPECT_LE((p.grad().map() - layer->second.map()).norm(), 1e-5F * layer->second.map().norm() + 1e-7F) << p.name();
    }
    EXPECT_EQ(biases, sums.size());
    EXPECT_EQ(biases, 6 * watched.layers().size() + 2);
  }
}

TEST(Bert, InferenceSavesNothing) {
  Bert bert(tiny_bert(), options("rowwise"));
  Tape tape(/*recording=*/false);
  Pass pass{tape, {}, false, {}};
  bert(pass, reference_batch());
  EXPECT_EQ(tape.saved_bytes(), 0U);
}

}  // namespace
}  // namespace fixtune
