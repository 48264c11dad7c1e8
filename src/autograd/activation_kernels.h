#pragma once

#include <cstdint>

#include "elementwise_kernels.h"
#include "fixtune/autograd/gelu.h"

/// The loops of an activation: values alone, or with the slope in FP32 or BF16.
namespace fixtune::detail {

struct ActivationKernels {
  void (*value)(float*, const float*, std::int64_t);
  void (*with_slope)(float*, float*, const float*, std::int64_t);
  void (*with_bf16_slope)(float*, std::uint16_t*, const float*, std::int64_t);
};

inline ActivationKernels activation_kernels(Activation kind) {
  switch (kind) {
    case Activation::Gelu: return {gelu, gelu, gelu};
    case Activation::GeluTanh: return {gelu_tanh, gelu_tanh, gelu_tanh};
    case Activation::Relu: return {relu, relu, relu};
  }
  fail("unknown activation {}", static_cast<int>(kind));
}

}  // namespace fixtune::detail
