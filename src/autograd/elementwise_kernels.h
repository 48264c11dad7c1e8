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

/// y[i] = f(x[i]), and the derivative f'(x[i]), in FP32 or BF16.
void gelu(float* y, float* slope, const float* x, std::int64_t n);
void gelu(float* y, std::uint16_t* slope, const float* x, std::int64_t n);
void gelu_tanh(float* y, float* slope, const float* x, std::int64_t n);
void gelu_tanh(float* y, std::uint16_t* slope, const float* x, std::int64_t n);
void relu(float* y, float* slope, const float* x, std::int64_t n);
void relu(float* y, std::uint16_t* slope, const float* x, std::int64_t n);
/// y[i] = f(x[i]) alone, to the same bits.
void gelu(float* y, const float* x, std::int64_t n);
void gelu_tanh(float* y, const float* x, std::int64_t n);
void relu(float* y, const float* x, std::int64_t n);
void tanh_forward(float* y, const float* x, std::int64_t n);
/// y[i] *= x[i]
void multiply_by(float* y, const float* x, std::int64_t n);
void multiply_by(float* y, const std::uint16_t* x_bf16, std::int64_t n);
/// gradient[i] *= 1 - y[i]^2
void tanh_backward(float* gradient, const float* y, std::int64_t n);

/// Which elements a dropout keeps: those whose random bits are at least `threshold`.
struct DropoutMask {
  std::uint32_t low = 0;        ///< RandomStream::low
  std::uint32_t high = 0;       ///< RandomStream::high
  std::uint32_t threshold = 0;  ///< of RandomStream::bits; 0: nothing is dropped
  float factor = 1.0F;          ///< of the elements kept
};
/// y[i] = x[i] * factor if element `first + i` is kept, else 0; y may be x.
void dropout_into(float* y, const float* x, const DropoutMask& mask, std::uint64_t first, std::int64_t n);

}  // namespace fixtune::detail
