#pragma once

#include <cstdint>

// Loops over elements, on the calling thread. Each element's result depends on that element only, so a caller may
// cut the range where it likes.

namespace fixtune::detail {

/// y[i] += x[i]
void add_to(float* y, const float* x, std::int64_t n);
/// y[i] = a[i] + b[i]
void add_into(float* y, const float* a, const float* b, std::int64_t n);
/// y[i] = factor * x[i]
void scale_into(float* y, const float* x, float factor, std::int64_t n);

void gelu_forward(float* y, const float* x, std::int64_t n);
void gelu_tanh_forward(float* y, const float* x, std::int64_t n);
void relu_forward(float* y, const float* x, std::int64_t n);
void tanh_forward(float* y, const float* x, std::int64_t n);
/// gradient[i] *= f'(x[i])
void gelu_backward(float* gradient, const float* x, std::int64_t n);
void gelu_tanh_backward(float* gradient, const float* x, std::int64_t n);
void relu_backward(float* gradient, const float* x, std::int64_t n);
/// gradient[i] *= 1 - y[i]^2
void tanh_backward(float* gradient, const float* y, std::int64_t n);

/// Which elements a dropout keeps: those where the stream's uniform(i) >= probability.
struct DropoutMask {
  std::uint32_t low = 0;   ///< RandomStream::low
  std::uint32_t high = 0;  ///< RandomStream::high
  float probability = 0.0F;
  float factor = 1.0F;  ///< of the elements kept
};
/// y[i] = x[i] * factor if element `first + i` is kept, else 0; y may be x.
void dropout_into(float* y, const float* x, const DropoutMask& mask, std::uint64_t first, std::int64_t n);

}  // namespace fixtune::detail
