#pragma once

#include <memory>
#include <string>
#include <vector>

#include "fixtune/autograd/linear.h"

/// Integer layers that share one quantised input, forward and backward.
namespace fixtune::detail {

/// One layer's part of the backward step: its gradients' slots and its prepared weight.
struct SavedLayer {
  std::shared_ptr<const QuantizedWeight> prepared;
  std::shared_ptr<Gradient> dy, dw, db;
  std::string name;

  SavedLayer(const LinearOperand& layer, const Variable& output);
};

/// What the backward of such layers needs.
struct SavedGroup {
  LinearInput input;
  std::vector<SavedLayer> layers;
};

inline bool is_integer(const LinearOperand& layer) {
  return layer.prepared->recipe.arithmetic == Arithmetic::Integer;
}

/// True where any of the gradients is wanted.
bool requires_grad(const Variable& x, std::span<const LinearOperand> layers);

/// The slot's memory: new, or to be added to.
GradientTarget target_of(Gradient& slot);

/// The outputs of layers on one input, as variables whose values linear_forward is to fill.
struct GroupOutputs {
  std::vector<Variable> variables;
  std::vector<LinearForward> parts;

  GroupOutputs(Index tokens, std::span<const LinearOperand> layers, bool required);
};

/// `Y` of a layer on a quantised input.
Variable forward(const LinearInput& input, const LinearOperand& layer, bool required, const LinearContext& context);

/// Adds the layers' gradients into their slots, and dX to `dx` (null data: not wanted).
void backward_group(const SavedGroup& group, GradientTarget dx, const LinearContext& context);

}  // namespace fixtune::detail
