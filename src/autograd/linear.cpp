#include "fixtune/autograd/linear.h"

#include <utility>

#include "linear_group.h"

namespace fixtune {
namespace {

using detail::is_integer;
using detail::SavedGroup;
using detail::SavedLayer;
using detail::target_of;

/// Layers that follow each other and read X in the same form.
std::size_t run_length(std::span<const LinearOperand> layers) {
  const Recipe& recipe = layers[0].prepared->recipe;
  std::size_t length = 1;
  while (length < layers.size() && same_input_codes(recipe, layers[length].prepared->recipe)) ++length;
  return length;
}

Variable float_layer(const Variable& x, const LinearOperand& layer, bool required) {
  const float* bias = layer.bias ? layer.bias.value().data() : nullptr;
  return Variable(float_linear_forward(x.value().map(), *layer.prepared, bias), required);
}

void float_backward(const SavedLayer& layer, Gradient& dx, const Tensor& x) {
  const Tensor dy = layer.dy->take();
  if (dy.empty()) return;
  const bool wants_db = layer.db != nullptr && layer.db->required;
  Tensor db = wants_db ? Tensor(1, dy.cols()) : Tensor();
  float_linear_backward(dy.map(), *layer.prepared, x.map(),
                        {target_of(dx), target_of(*layer.dw), wants_db ? db.data() : nullptr});
  if (wants_db) layer.db->accumulate(std::move(db));
}

void record_float(Tape& tape, const Variable& x, const LinearOperand& layer, const Variable& y) {
  const std::shared_ptr<const Tensor> kept_x = x.shared_value();
  tape.record([layer = SavedLayer(layer, y), dx = x.gradient(), kept_x] { float_backward(layer, *dx, *kept_x); },
              {kept_x});
}

void record_group(Tape& tape, const Variable& x, SavedGroup group, const RandomKey& random) {
  const std::size_t bytes = group.input.saved_bytes();
  tape.record(
      [group = std::move(group), dx = x.gradient(), random] {
        bool any = false;
        for (const SavedLayer& layer : group.layers) any = any || !layer.dy->value.empty();
        if (!any) return;
        LinearContext context;
        context.random = random;
        backward_group(group, target_of(*dx), context);
      },
      {}, bytes);
}

}  // namespace

std::vector<Variable> linear(Tape& tape, const Variable& x, std::span<const LinearOperand> layers,
                             const LinearContext& context) {
  const bool record = tape.recording() && detail::requires_grad(x, layers);
  LinearContext own = context;
  own.save = record;
  std::vector<Variable> outputs;
  while (!layers.empty()) {
    const std::size_t length = run_length(layers);
    const std::span<const LinearOperand> run = layers.first(length);
    layers = layers.subspan(length);
    if (!is_integer(run[0])) {
      outputs.push_back(float_layer(x, run[0], record));
      if (record) record_float(tape, x, run[0], outputs.back());
      continue;
    }
    detail::GroupOutputs group_outputs(x.value().rows(), run, record);
    SavedGroup group{linear_forward(x.value().map(), group_outputs.parts, own), {}};
    for (Variable& y : group_outputs.variables) {
      group.layers.emplace_back(run[group.layers.size()], y);
      outputs.push_back(std::move(y));
    }
    if (record) record_group(tape, x, std::move(group), context.random);
  }
  return outputs;
}

}  // namespace fixtune
