#include "fixtune/models/parameter_source.h"

#include <cmath>
#include <numbers>

namespace fixtune {
namespace {

/// Normal(0, deviation) by the Box-Muller transform of two uniforms an element.
Tensor normal(Index rows, Index cols, float deviation, const RandomStream& random) {
  Tensor t(rows, cols);
  for (Index i = 0; i < t.size(); ++i) {
    const double u = 1.0 - random.uniform(static_cast<std::uint64_t>(2 * i));  // in (0, 1]
    const double v = random.uniform(static_cast<std::uint64_t>(2 * i + 1));
    t.data()[i] = static_cast<float>(deviation * std::sqrt(-2.0 * std::log(u)) *
                                     std::cos(2.0 * std::numbers::pi * v));
  }
  return t;
}

}  // namespace

Variable ParameterSource::table(const std::string& name, Index rows, Index cols) const {
  return Variable(tensors_.read(name, rows, cols), true, name);
}

Linear ParameterSource::linear(const std::string& name, Index out, Index in, const Recipe& recipe) const {
  return {name, tensors_.read(name + ".weight", out, in), tensors_.read(name + ".bias", 1, out), recipe};
}

LayerNorm ParameterSource::layer_norm(const std::string& name, Index features, float epsilon) const {
  return {name, tensors_.read(name + ".weight", 1, features), tensors_.read(name + ".bias", 1, features), epsilon};
}

Linear ParameterSource::linear_or_new(const std::string& name, Index out, Index in, const Recipe& recipe,
                                      bool fresh) const {
  if (!fresh && tensors_.contains(name + ".weight")) return linear(name, out, in, recipe);
  if (log_) log_(fmt::format("{} [{}, {}] is new: drawn from the seed", name, out, in));
  const RandomStream random({seed_, 0, 0}, tensor_id((name + "/initial").c_str()));
  return {name, normal(out, in, initializer_range_, random), Tensor::zeros(1, out), recipe};
}

}  // namespace fixtune
