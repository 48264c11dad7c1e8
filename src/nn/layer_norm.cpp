#include "fixtune/nn/layer_norm.h"

#include "fixtune/autograd/layer_norm.h"

namespace fixtune {

LayerNorm::LayerNorm(const std::string& name, Tensor gamma, Tensor beta, float eps)
    : weight(std::move(gamma), true, name + ".weight"), bias(std::move(beta), true, name + ".bias"), epsilon(eps) {}

Variable LayerNorm::operator()(Pass& pass, const Variable& x) const {
  return layer_norm(pass.tape, x, weight, bias, epsilon);
}

Variable LayerNorm::operator()(Pass& pass, const Variable& x, const Variable& h, ResidualNormOptions options) const {
  options.epsilon = epsilon;
  return residual_norm(pass.tape, x, h, weight, bias, options);
}

}  // namespace fixtune
