#include "linear_group.h"

#include <utility>

namespace fixtune::detail {

SavedLayer::SavedLayer(const LinearOperand& layer, const Variable& output)
    : prepared(layer.prepared),
      dy(output.gradient()),
      dw(layer.weight.gradient()),
      db(layer.bias ? layer.bias.gradient() : nullptr),
      name(layer.name) {}

bool requires_grad(const Variable& x, std::span<const LinearOperand> layers) {
  bool required = x.requires_grad();
  for (const LinearOperand& l : layers)
    required = required || l.weight.requires_grad() || (l.bias && l.bias.requires_grad());
  return required;
}

GradientTarget target_of(Gradient& slot) {
  if (!slot.required) return {};
  const bool add = !slot.value.empty();
  if (!add) slot.value = Tensor(slot.rows, slot.cols);
  return {slot.value.data(), slot.cols, add};
}

GroupOutputs::GroupOutputs(Index tokens, std::span<const LinearOperand> layers, bool required) {
  for (const LinearOperand& layer : layers) {
    Variable& y = variables.emplace_back(Tensor(tokens, layer.prepared->out_features()), required);
    parts.push_back({layer.prepared.get(), layer.bias ? layer.bias.value().data() : nullptr, y.mutable_value().map()});
  }
}

Variable forward(const LinearInput& input, const LinearOperand& layer, bool required, const LinearContext& context) {
  GroupOutputs outputs(input.forward->inliers.rows, std::span(&layer, 1), required);
  linear_forward(input, outputs.parts, context);
  return std::move(outputs.variables.front());
}

void backward_group(const SavedGroup& group, GradientTarget dx, const LinearContext& context) {
  std::vector<Tensor> dy, db;
  std::vector<LinearBackward> parts;
  std::vector<Gradient*> db_slots;
  for (const SavedLayer& layer : group.layers) {
    const Tensor& gradient = dy.emplace_back(layer.dy->take());
    if (gradient.empty()) continue;
    const bool wants_db = layer.db != nullptr && layer.db->required;
    LinearBackward part{gradient.map(), layer.prepared.get(), {dx, target_of(*layer.dw), nullptr}, layer.name};
    if (wants_db) {
      part.to.db = db.emplace_back(1, gradient.cols()).data();
      db_slots.push_back(layer.db.get());
    }
    parts.push_back(part);
    dx.add = true;
  }
  if (parts.empty()) return;
  linear_backward(parts, group.input, context);
  for (std::size_t i = 0; i < db.size(); ++i) db_slots[i]->accumulate(std::move(db[i]));
}

}  // namespace fixtune::detail
