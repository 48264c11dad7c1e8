#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "fixtune/autograd/activated_linear.h"
#include "fixtune/autograd/linear.h"
#include "fixtune/nn/pass.h"

namespace fixtune {

/// A linear layer with its parameters and recipe; the weight is quantised once until it changes.
class Linear {
 public:
  /// Without parameters: only to be assigned to.
  Linear() = default;
  /// `weight` is `[out, in]`, `bias` `[1, out]`. Throws Error when they disagree.
  Linear(std::string name, Tensor weight, Tensor bias, Recipe recipe);

  Variable operator()(Pass& pass, const Variable& x);  ///< From `[tokens, in]` to `[tokens, out]`.
  /// The layer on an activation of x, which keeps its slope as `kept` says.
  Variable activated(Pass& pass, const Variable& x, Activation kind, Kept kept);
  /// To be called when the weight's values were changed (after an optimiser step).
  void weight_changed() { prepared_.reset(); }

  const std::string& name() const { return name_; }  ///< As recipes and errors name it.
  Variable weight;  ///< `[out, in]`, parameter `NAME.weight`
  Variable bias;    ///< `[1, out]`, parameter `NAME.bias`
  Recipe recipe;    ///< read when the weight is prepared: a new one holds from the next weight_changed() on

 private:
  friend std::vector<Variable> apply_linears(Pass&, const Variable&, std::initializer_list<Linear*>,
                                             std::string_view);
  LinearOperand operand(const Pass& pass);

  std::string name_;
  std::shared_ptr<const QuantizedWeight> prepared_;
};

/// Several layers on one input, which is quantised once where their recipes agree; `input_name` names it.
std::vector<Variable> apply_linears(Pass& pass, const Variable& x, std::initializer_list<Linear*> layers,
                                    std::string_view input_name);

}  // namespace fixtune
