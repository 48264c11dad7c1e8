#include "fixtune/autograd/linear.h"

#include <utility>

namespace fixtune {
namespace {

/// One layer's part of the backward step: its gradients' slots, its prepared weight, what X it needs.
struct SavedLayer {
  std::shared_ptr<const QuantizedWeight> prepared;
  std::shared_ptr<Gradient> dy, dw, db;
  LinearInput input;
  std::string name;

  WantedGradients wanted(bool dx) const {
    return {.dx = dx, .dw = dw->required, .db = db != nullptr && db->required};
  }
};

bool is_integer(const LinearOperand& layer) { return layer.prepared->recipe.arithmetic == Arithmetic::Integer; }

bool requires_grad(const Variable& x, std::span<const LinearOperand> layers) {
  bool required = x.requires_grad();
  for (const LinearOperand& l : layers)
    required = required || l.weight.requires_grad() || (l.bias && l.bias.requires_grad());
  return required;
}

LinearContext named(const LinearContext& context, std::string_view name) {
  LinearContext own = context;
  own.name = name;
  return own;
}

Variable forward_layer(const Variable& x, const LinearOperand& layer, const LinearInput& input,
                       const LinearContext& context, bool required) {
  const float* bias = layer.bias ? layer.bias.value().data() : nullptr;
  const ConstMatrixMap values = x.value().map();
  Tensor y = is_integer(layer) ? linear_forward(input, *layer.prepared, bias, named(context, layer.name))
                               : float_linear_forward(values, *layer.prepared, bias);
  return Variable(std::move(y), required);
}

void backward_layer(const SavedLayer& layer, const std::shared_ptr<Gradient>& dx,
                    const std::shared_ptr<const Tensor>& x, const LinearContext& context) {
  const Tensor dy = layer.dy->take();
  if (dy.empty()) return;
  const WantedGradients wanted = layer.wanted(dx->required);
  const ConstMatrixMap dy_map = dy.map();
  LinearGradients g = layer.prepared->recipe.arithmetic == Arithmetic::Integer
                          ? linear_backward(dy_map, *layer.prepared, layer.input, wanted, named(context, layer.name))
                          : float_linear_backward(dy_map, *layer.prepared, x->map(), wanted);
  if (wanted.dx) dx->accumulate(std::move(g.dx));
  if (wanted.dw) layer.dw->accumulate(std::move(g.dw));
  if (wanted.db) layer.db->accumulate(std::move(g.db));
}

}  // namespace

std::vector<Variable> linear(Tape& tape, const Variable& x, std::span<const LinearOperand> layers,
                             const LinearContext& context) {
  const bool record = tape.recording() && requires_grad(x, layers);
  LinearContext forward_context = context;
  forward_context.save = record;

  std::vector<Variable> outputs;
  std::vector<SavedLayer> saved;
  LinearInput input;
  const Recipe* quantised_for = nullptr;
  std::size_t bytes = 0;
  bool keeps_x = false;
  for (const LinearOperand& layer : layers) {
    const Recipe& recipe = layer.prepared->recipe;
    if (is_integer(layer) && (quantised_for == nullptr || !same_input_codes(*quantised_for, recipe))) {
      input = quantize_input(x.value().map(), recipe, forward_context);
      quantised_for = &recipe;
      bytes += input.saved_bytes();
    }
    outputs.push_back(forward_layer(x, layer, input, forward_context, record));
    if (!record) continue;
    keeps_x = keeps_x || !is_integer(layer);
    SavedLayer& kept = saved.emplace_back();
    kept.prepared = layer.prepared;
    kept.dy = outputs.back().gradient();
    kept.dw = layer.weight.gradient();
    kept.db = layer.bias ? layer.bias.gradient() : nullptr;
    kept.name = layer.name;
    if (is_integer(layer)) {
      kept.input = input;
      kept.input.forward.reset();
    }
  }
  if (!record) return outputs;

  const std::shared_ptr<const Tensor> kept_x = keeps_x ? x.shared_value() : nullptr;
  auto backward = [saved = std::move(saved), dx = x.gradient(), kept_x, random = context.random] {
    LinearContext backward_context;
    backward_context.random = random;
    for (const SavedLayer& layer : saved) backward_layer(layer, dx, kept_x, backward_context);
  };
  if (kept_x)
    tape.record(std::move(backward), {kept_x}, bytes);
  else
    tape.record(std::move(backward), {}, bytes);
  return outputs;
}

}  // namespace fixtune
