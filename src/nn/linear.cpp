#include "fixtune/nn/linear.h"

#include <utility>

namespace fixtune {
namespace {

LinearContext context_of(const Pass& pass, std::string_view input_name) {
  LinearContext context;
  context.name = input_name;
  context.random = pass.random;
  context.observer = pass.observer;
  return context;
}

/// A step recorded after the layers' own runs before theirs: when the gradients are complete and not yet taken.
void show_output_gradients(Pass& pass, const std::vector<LinearOperand>& layers, const std::vector<Variable>& outputs) {
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (!pass.tape.records(outputs[i])) continue;
    pass.tape.record([show = pass.output_gradient_observer, name = layers[i].name, dy = outputs[i].gradient()] {
      if (!dy->value.empty()) show(name, std::as_const(dy->value).map());
    });
  }
}

}  // namespace

Linear::Linear(std::string name, Tensor w, Tensor b, Recipe r)
    : weight(std::move(w), true, name + ".weight"),
      bias(std::move(b), true, name + ".bias"),
      recipe(std::move(r)),
      name_(std::move(name)) {
  if (bias.value().size() != weight.rows())
    fail("{}: bias of {} values does not fit weight [{}, {}]", name_, bias.value().size(), weight.rows(),
         weight.cols());
}

LinearOperand Linear::operand(const Pass& pass) {
  if (!prepared_) {
    LinearContext context;
    context.name = name_;
    // Micro-batches of one step share the weight's codes.
    context.random = {pass.random.seed, pass.random.step, 0};
    prepared_ = std::make_shared<const QuantizedWeight>(
        prepare_weight(std::as_const(weight).value().map(), recipe, context));
  }
  return {weight, bias, prepared_, name_};
}

Variable Linear::operator()(Pass& pass, const Variable& x) { return apply_linears(pass, x, {this}, name_)[0]; }

Variable Linear::activated(Pass& pass, const Variable& x, Activation kind, Kept kept) {
  // An observer is shown the input whole; else it need not exist as a whole.
  if (pass.input_observer || pass.output_gradient_observer) return (*this)(pass, activation(pass.tape, x, kind, kept));
  return activated_linear(pass.tape, x, kind, kept, operand(pass), context_of(pass, name_));
}

std::vector<Variable> apply_linears(Pass& pass, const Variable& x, std::initializer_list<Linear*> layers,
                                    std::string_view input_name) {
  if (pass.input_observer) pass.input_observer(input_name, x.value().map());
  std::vector<LinearOperand> operands;
  for (Linear* layer : layers) operands.push_back(layer->operand(pass));
  std::vector<Variable> outputs = linear(pass.tape, x, operands, context_of(pass, input_name));
  if (pass.output_gradient_observer) show_output_gradients(pass, operands, outputs);
  return outputs;
}

}  // namespace fixtune
