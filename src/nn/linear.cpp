#include "fixtune/nn/linear.h"

namespace fixtune {

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

std::vector<Variable> apply_linears(Pass& pass, const Variable& x, std::initializer_list<Linear*> layers,
                                    std::string_view input_name) {
  if (pass.input_observer) pass.input_observer(input_name, x.value().map());
  std::vector<LinearOperand> operands;
  for (Linear* layer : layers) operands.push_back(layer->operand(pass));
  LinearContext context;
  context.name = input_name;
  context.random = pass.random;
  context.observer = pass.observer;
  return linear(pass.tape, x, operands, context);
}

}  // namespace fixtune
