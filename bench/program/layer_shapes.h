#pragma once

#include <array>
#include <string_view>

#include "fixtune/core/aligned_buffer.h"

namespace fixtune::bench {

/// A weight `[out, in]` of a model's encoder block.
struct LayerShape {
  std::string_view model;
  std::string_view layer;
  Index out = 0;
  Index in = 0;
};

/// The linear layers of a BERT-base and of a MiniLM block ("attention" stands for Q, K, V and the output product).
inline constexpr std::array layer_shapes = {
    LayerShape{"BERT-base", "attention", 768, 768}, LayerShape{"BERT-base", "up", 3072, 768},
    LayerShape{"BERT-base", "down", 768, 3072},     LayerShape{"MiniLM", "attention", 384, 384},
    LayerShape{"MiniLM", "up", 1536, 384},          LayerShape{"MiniLM", "down", 384, 1536}};
inline constexpr std::array<std::string_view, 2> models = {"BERT-base", "MiniLM"};

}  // namespace fixtune::bench
