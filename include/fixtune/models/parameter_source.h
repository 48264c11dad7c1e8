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
  /// Reads from `tensors`, and draws what they lack: normal of that deviation, keyed by seed and name.
  ParameterSource(const TensorSource& tensors, float initializer_range, std::uint64_t seed, LogCallback log)
      : tensors_(tensors), initializer_range_(initializer_range), seed_(seed), log_(std::move(log)) {}

  /// A table `[rows, cols]`, from the tensor `name`.
  Variable table(const std::string& name, Index rows, Index cols) const;
  /// A linear layer, from `name.weight` and `name.bias`.
  Linear linear(const std::string& name, Index out, Index in, const Recipe& recipe) const;
  /// A layer norm, from `name.weight` and `name.bias`.
  LayerNorm layer_norm(const std::string& name, Index features, float epsilon) const;
  /// As linear(), or where the folder lacks it (or `fresh`): normal(0, initializer_range) by seed and name, bias 0.
  Linear linear_or_new(const std::string& name, Index out, Index in, const Recipe& recipe, bool fresh = false) const;
  /// True where the folder has that tensor.
  bool contains(const std::string& name) const { return tensors_.contains(name); }

 private:
  const TensorSource& tensors_;
  float initializer_range_;
  std::uint64_t seed_;
  LogCallback log_;
};

}  // namespace fixtune
