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

  bool integer() const { return prepared->recipe.arithmetic == Arithmetic::Integer; }
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

/// The slot's memory: new, or to be added to.
GradientTarget target_of(Gradient& slot) {
  if (!slot.required) return {};
  const bool add = !slot.value.empty();
  if (!add) slot.value = Tensor(slot.rows, slot.cols);
  return {slot.value.data(), slot.cols, add};
}

/// X^T for dW, made once for the layers that share X's codes.
class SharedTranspose {
 public:
  const InputRows* of(const LinearInput& input, Index tokens) {
    if (input.backward == nullptr || tokens > max_contraction_8x8) return nullptr;
    if (source_ != input.backward) rows_ = transposed_input(input, 0, tokens);
    source_ = input.backward;
    return &rows_;
  }

 private:
  std::shared_ptr<const QuantizedActivation> source_;
  InputRows rows_;
};

void backward_layer(const SavedLayer& layer, Gradient& dx, const Tensor* x, SharedTranspose& transposed,
                    const LinearContext& context) {
  const Tensor dy = layer.dy->take();
  if (dy.empty()) return;
  const bool wants_db = layer.db != nullptr && layer.db->required;
  Tensor db = wants_db ? Tensor(1, dy.cols()) : Tensor();
  GradientTargets to{target_of(dx), target_of(*layer.dw), wants_db ? db.data() : nullptr};
  const ConstMatrixMap dy_map = dy.map();
  if (layer.integer())
    linear_backward(dy_map, *layer.prepared, layer.input,
                    to.dw.data != nullptr ? transposed.of(layer.input, dy.rows()) : nullptr, to,
                    named(context, layer.name));
  else
    float_linear_backward(dy_map, *layer.prepared, x->map(), to);
  if (wants_db) layer.db->accumulate(std::move(db));
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
      kept.input.forward_is_done();
    }
  }
  if (!record) return outputs;

  const std::shared_ptr<const Tensor> kept_x = keeps_x ? x.shared_value() : nullptr;
  auto backward = [saved = std::move(saved), dx = x.gradient(), kept_x, random = context.random] {
    LinearContext backward_context;
    backward_context.random = random;
    SharedTranspose transposed;
    for (const SavedLayer& layer : saved) backward_layer(layer, *dx, kept_x.get(), transposed, backward_context);
  };
  if (kept_x)
    tape.record(std::move(backward), {kept_x}, bytes);
  else
    tape.record(std::move(backward), {}, bytes);
  return outputs;
}

}  // namespace fixtune
