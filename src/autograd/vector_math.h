#pragma once

#include <cstdint>

#include "fixtune/core/multiversion.h"

// Elementary functions that a compiler can vectorise: no branches, no library calls, no tables.
// For kernel files only; all of them are inlined into the instruction set of their caller.


// Before a loop whose output may be its input: element i is read before it is written, so it vectorises all the same.
#if defined(__clang__)
#define FIXTUNE_SAFE_IN_PLACE _Pragma("clang loop vectorize(assume_safety)")
#else
#define FIXTUNE_SAFE_IN_PLACE _Pragma("GCC ivdep")
#endif

namespace fixtune::detail {

/// e^x for x in [-87, 88] to 2 units in the last place, x outside is moved to the border; NaN stays NaN.
/// Range reduction and polynomial: Cephes, expf.
FIXTUNE_ALWAYS_INLINE float vector_exp(float x) {
  constexpr float round_shift = 0x1.8p23F;  // adding it leaves the nearest integer in the low mantissa bits
  x = x < -87.0F ? -87.0F : x;
  x = x > 88.0F ? 88.0F : x;
  const float shifted = x * 1.44269504088896341F + round_shift;
  const float n = shifted - round_shift;
  const float r = (x - n * 0.693359375F) - n * -2.12194440e-4F;
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = (p * (r * r) + r) + 1.0F;
  const std::uint32_t exponent = __builtin_bit_cast(std::uint32_t, shifted) - 0x4b400000U;
  return p * __builtin_bit_cast(float, (exponent + 127U) << 23U);
}

/// Of the standard normal distribution at x >= 0.
struct NormalTail {
  float tail;     ///< `erfc(x / sqrt 2) / 2`, to 5e-7 relative; 0 from x = 12.65 on
  float density;  ///< `exp(-x^2 / 2) / sqrt(2 pi)`; 0 where the tail is
};

/// The tail is `exp(-x^2/2) t P(t)`, `t = 1 / (1 + 0.3 x)`; P is the polynomial of degree 7 of least relative error on
/// [0, 13] (1.1e-7, reweighted least squares).
FIXTUNE_ALWAYS_INLINE NormalTail vector_normal_tail(float x) {
  const float half_square = 0.5F * (x * x);
  const float bell = half_square > 80.0F ? 0.0F : vector_exp(-half_square);
  const float t = 1.0F / (1.0F + 0.3F * x);
  float p = 0.036195073F;
  p = p * t + -0.15937943F;
  p = p * t + 0.21012063F;
  p = p * t + -0.057169694F;
  p = p * t + 0.13041781F;
  p = p * t + 0.09934668F;
  p = p * t + 0.12084561F;
  p = p * t + 0.11962326F;
  return {bell * (t * p), bell * 0.39894228040143268F};
}

/// BF16 of x, nearest even; a NaN stays one.
FIXTUNE_ALWAYS_INLINE std::uint16_t vector_bf16(float x) {
  const auto bits = __builtin_bit_cast(std::uint32_t, x);
  const std::uint32_t rounded = bits + 0x7fffU + ((bits >> 16U) & 1U);
  return static_cast<std::uint16_t>((x == x ? rounded : bits | 0x400000U) >> 16U);
}
FIXTUNE_ALWAYS_INLINE float value_of_bf16(std::uint16_t bits) {
  return __builtin_bit_cast(float, static_cast<std::uint32_t>(bits) << 16U);
}

/// tanh(x) to 3e-7 absolute; rational in x^2, from Eigen (tanh for float).
FIXTUNE_ALWAYS_INLINE float vector_tanh(float x) {
  x = x < -7.90531110763549805F ? -7.90531110763549805F : x;
  x = x > 7.90531110763549805F ? 7.90531110763549805F : x;
  const float t = x * x;
  float p = -2.76076847742355e-16F;
  p = p * t + 2.00018790482477e-13F;
  p = p * t + -8.60467152213735e-11F;
  p = p * t + 5.12229709037114e-08F;
  p = p * t + 1.48572235717979e-05F;
  p = p * t + 6.37261928875436e-04F;
  p = p * t + 4.89352455891786e-03F;
  float q = 1.19825839466702e-06F;
  q = q * t + 1.18534705686654e-04F;
  q = q * t + 2.26843463243900e-03F;
  q = q * t + 4.89352518554385e-03F;
  return x * p / q;
}

}  // namespace fixtune::detail
