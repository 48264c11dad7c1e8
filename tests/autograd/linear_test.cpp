#include "fixtune/autograd/activated_linear.h"
#include "fixtune/autograd/linear.h"

#include <gtest/gtest.h>

#include <array>

#include "autograd_testing.h"

namespace fixtune {
namespace {

using test::expect_near;
using test::random_tensor;
using test::same_bits;
using test::weighted_sum;

LinearOperand operand(const std::string& name, const Recipe& recipe, std::uint64_t id) {
  LinearOperand layer;
  layer.weight = Variable(random_tensor(6, 10, id), true, name + ".weight");
  layer.bias = Variable(random_tensor(1, 6, id + 100), true, name + ".bias");
  layer.name = name;
  LinearContext context;
  context.name = name;
  layer.prepared = std::make_shared<const QuantizedWeight>(prepare_weight(layer.weight.value(), recipe, context));
  return layer;
}

struct Step {
  std::vector<Tensor> outputs;
  std::vector<Tensor> weight_gradients;
  Tensor dx;
};

/// Forward and backward of three layers on one input, in one operation or in three.
Step three_layers(const std::array<Recipe, 3>& recipes, bool fused, std::size_t* saved_bytes = nullptr) {
  Tape tape;
  const Variable x(random_tensor(7, 10, 1, 12.0F), true);
  std::vector<LinearOperand> layers;
  for (std::size_t i = 0; i < 3; ++i) layers.push_back(operand("layer" + std::to_string(i), recipes[i], 10 + i));
  LinearContext context;
  context.name = "input";
  std::vector<Variable> outputs;
  if (fused)
    outputs = linear(tape, x, layers, context);
  else
    for (const LinearOperand& layer : layers) outputs.push_back(linear(tape, x, std::span(&layer, 1), context)[0]);
  if (saved_bytes != nullptr) *saved_bytes = tape.saved_bytes();
  Step step;
  for (const Variable& y : outputs) step.outputs.push_back(y.value());
  // A sum of the outputs, each with its own weight.
  Variable loss(Tensor::filled(1, 1, 0.0F), true);
  tape.record([gradients = outputs] {
    for (std::size_t i = 0; i < gradients.size(); ++i)
      gradients[i].gradient()->accumulate(random_tensor(7, 6, 50 + i));
  });
  tape.backward(loss);
  for (const LinearOperand& layer : layers) step.weight_gradients.push_back(layer.weight.grad());
  step.dx = x.grad();
  return step;
}

TEST(LinearOperation, SharingOneInputChangesNoBit) {
  for (const char* name : {"fp32", "int8", "approach1", "approach2", "rowwise"}) {
    const std::array<Recipe, 3> recipes{preset(name), preset(name), preset(name)};
    const Step fused = three_layers(recipes, true);
    const Step apart = three_layers(recipes, false);
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_TRUE(same_bits(fused.outputs[i], apart.outputs[i])) << name;
      EXPECT_TRUE(same_bits(fused.weight_gradients[i], apart.weight_gradients[i])) << name;
    }
    // Only the order in which the three parts of dX are added differs.
    expect_near(fused.dx, apart.dx, 1e-5);
  }
}

TEST(LinearOperation, RecipesMayDifferWithinAGroup) {
  const std::array<Recipe, 3> mixed{preset("rowwise"), preset("fp32"), preset("approach2")};
  const Step step = three_layers(mixed, true);
  const Step exact = three_layers({preset("fp32"), preset("fp32"), preset("fp32")}, true);
  EXPECT_TRUE(same_bits(step.outputs[1], exact.outputs[1]));
  expect_near(step.outputs[0], exact.outputs[0], 1.0);
  EXPECT_FALSE(same_bits(step.outputs[0], exact.outputs[0]));
}

TEST(LinearOperation, AgreeingIntegerLayersKeepOneSetOfCodes) {
  const Recipe rowwise = preset("rowwise");
  std::size_t one_set = 0;
  std::size_t three_sets = 0;
  three_layers({rowwise, rowwise, rowwise}, true, &one_set);
  three_layers({rowwise, rowwise, rowwise}, false, &three_sets);
  EXPECT_EQ(3 * one_set, three_sets);
}

struct ActivatedStep {
  Tensor y, dx, dw, db;
};

/// act(X) W^T + b and its gradients, as one operation or as two.
ActivatedStep activated_step(Activation kind, Kept kept, const Recipe& recipe, bool fused) {
  Tape tape;
  const Variable x(random_tensor(37, 10, 1, 12.0F), true);
  const LinearOperand layer = operand("layer", recipe, 5);
  LinearContext context;
  context.name = "layer";
  const std::span<const LinearOperand> only(&layer, 1);
  const Variable y = fused ? activated_linear(tape, x, kind, kept, layer, context)
                           : linear(tape, activation(tape, x, kind, kept), only, context)[0];
  tape.backward_from(y, random_tensor(37, 6, 9));
  return {y.value(), x.grad(), layer.weight.grad(), layer.bias.grad()};
}

TEST(ActivatedLinear, HasTheBitsOfTheTwoOperations) {
  for (const Activation kind : {Activation::Gelu, Activation::GeluTanh, Activation::Relu})
    for (const Kept kept : {Kept::FP32, Kept::BF16})
      for (const char* name : {"fp32", "int8", "approach1", "approach2", "rowwise"}) {
        const ActivatedStep one = activated_step(kind, kept, preset(name), true);
        const ActivatedStep two = activated_step(kind, kept, preset(name), false);
        EXPECT_TRUE(same_bits(one.y, two.y)) << name;
        EXPECT_TRUE(same_bits(one.dx, two.dx)) << name;
        EXPECT_TRUE(same_bits(one.dw, two.dw)) << name;
        EXPECT_TRUE(same_bits(one.db, two.db)) << name;
      }
}

TEST(ActivatedLinear, KeepsTheSlopeAndTheCodesAlone) {
  const LinearOperand layer = operand("layer", preset("rowwise"), 5);
  LinearContext context;
  context.name = "layer";
  Tape fused, apart;
  const Variable x(random_tensor(64, 10, 1), true);
  activated_linear(fused, x, Activation::Gelu, Kept::BF16, layer, context);
  linear(apart, activation(apart, x, Activation::Gelu, Kept::BF16), std::span(&layer, 1), context);
  EXPECT_EQ(fused.saved_bytes(), apart.saved_bytes());
  Tape inference(/*recording=*/false);
  const Variable y = activated_linear(inference, x, Activation::Gelu, Kept::BF16, layer, context);
  EXPECT_EQ(inference.saved_bytes(), 0U);
  EXPECT_FALSE(y.requires_grad());
}

}  // namespace
}  // namespace fixtune
