#pragma once

#include <string>

#include "fixtune/core/log.h"
#include "fixtune/models/tensor_source.h"
#include "fixtune/nn/layer_norm.h"
#include "fixtune/nn/linear.h"
#include "fixtune/quant/recipe_map.h"

namespace fixtune {

/// Builds modules from a folder's tensors; what a folder may lack (a new head) is drawn from the seed.
class ParameterSource {
 public:
  /// `tensors` must outlive it; `log` is told of each layer that linear_or_new() draws, and may be empty.
  ParameterSource(const TensorSource& tensors, float initializer_range, std::uint64_t seed, LogCallback log)
      : tensors_(tensors), initializer_range_(initializer_range), seed_(seed), log_(std::move(log)) {}

  /// A parameter from the tensor `name`. Throws Error, as linear() and layer_norm(), where it is missing or does not
  /// fit.
  Variable table(const std::string& name, Index rows, Index cols) const;
  /// From `NAME.weight` `[out, in]` and `NAME.bias` `[1, out]`.
  Linear linear(const std::string& name, Index out, Index in, const Recipe& recipe) const;
  /// From `NAME.weight` and `NAME.bias`, both `[1, features]`.
  LayerNorm layer_norm(const std::string& name, Index features, float epsilon) const;
  /// As linear(), or where the folder lacks it (or `fresh`): normal(0, initializer_range) by seed and name, bias 0.
  Linear linear_or_new(const std::string& name, Index out, Index in, const Recipe& recipe, bool fresh = false) const;
  /// Whether the folder has a tensor of that standard name.
  bool contains(const std::string& name) const { return tensors_.contains(name); }

 private:
  const TensorSource& tensors_;
  float initializer_range_;
  std::uint64_t seed_;
  LogCallback log_;
};

}  // namespace fixtune
