#pragma once

#include <cstdint>

namespace fixtune {

/// In how many bits an operation keeps its activations for the backward step.
///
/// BF16 halves them and rounds what the gradients are computed from to 8 significant bits, nearest even: for recipes
/// that are coarser than that anyway. The forward step never depends on it.
enum class Kept : std::uint8_t {
  FP32,  ///< as the forward step has them
  BF16   ///< rounded, in half the memory
};

}  // namespace fixtune
