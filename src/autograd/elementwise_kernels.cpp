#include "elementwise_kernels.h"

#include "fixtune/core/multiversion.h"
#include "vector_math.h"

namespace fixtune::detail {

namespace {

constexpr float inverse_sqrt_2pi = 0.39894228040143268F;
constexpr float sqrt_2_over_pi = 0.79788456080286536F;
constexpr float gelu_cubic = 0.044715F;

// Both GELUs are x times a share in (0, 1). Each share is computed from its small side, as 1 - 0.9999999 would leave
// nothing of it.

FIXTUNE_ALWAYS_INLINE float normal_cdf(float x) {
  const float tail = vector_normal_tail(__builtin_fabsf(x));
  return x < 0.0F ? tail : 1.0F - tail;
}

// sqrt(2/pi) (x + 0.044715 x^3), twice: the share of GeluTanh is the logistic function of it.
FIXTUNE_ALWAYS_INLINE float gelu_logit(float x) {
  return 2.0F * sqrt_2_over_pi * (x + gelu_cubic * (x * x * x));
}

FIXTUNE_ALWAYS_INLINE float logistic(float a) {
  const float share = 1.0F / (1.0F + vector_exp(-a));
  return a < -80.0F ? 0.0F : share;
}

FIXTUNE_ALWAYS_INLINE std::uint32_t mix(std::uint32_t x) {
  x ^= x >> 16U;
  x *= 0x7feb352dU;
  x ^= x >> 15U;
  x *= 0x846ca68bU;
  x ^= x >> 16U;
  return x;
}

}  // namespace

FIXTUNE_MULTIVERSION void add_to(float* __restrict y, const float* __restrict x, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) y[i] += x[i];
}

FIXTUNE_MULTIVERSION void add_into(float* y, const float* a, const float* b, std::int64_t n) {
  FIXTUNE_SAFE_IN_PLACE
  for (std::int64_t i = 0; i < n; ++i) y[i] = a[i] + b[i];
}

FIXTUNE_MULTIVERSION void scale_into(float* y, const float* x, float factor, std::int64_t n) {
  FIXTUNE_SAFE_IN_PLACE
  for (std::int64_t i = 0; i < n; ++i) y[i] = x[i] * factor;
}

FIXTUNE_MULTIVERSION void gelu_forward(float* __restrict y, const float* __restrict x, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) y[i] = x[i] * normal_cdf(x[i]);
}

FIXTUNE_MULTIVERSION void gelu_tanh_forward(float* __restrict y, const float* __restrict x, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) y[i] = x[i] * logistic(gelu_logit(x[i]));
}

FIXTUNE_MULTIVERSION void relu_forward(float* __restrict y, const float* __restrict x, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) y[i] = x[i] < 0.0F ? 0.0F : x[i];
}

FIXTUNE_MULTIVERSION void tanh_forward(float* __restrict y, const float* __restrict x, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) y[i] = vector_tanh(x[i]);
}

FIXTUNE_MULTIVERSION void gelu_backward(float* __restrict gradient, const float* __restrict x, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) {
    const float density = inverse_sqrt_2pi * vector_exp(-0.5F * (x[i] * x[i]));
    gradient[i] *= normal_cdf(x[i]) + x[i] * density;
  }
}

FIXTUNE_MULTIVERSION void gelu_tanh_backward(float* __restrict gradient, const float* __restrict x, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) {
    const float logit = gelu_logit(x[i]);
    const float logit_slope = 2.0F * sqrt_2_over_pi * (1.0F + 3.0F * gelu_cubic * (x[i] * x[i]));
    const float away = vector_exp(-__builtin_fabsf(logit));
    const float share_slope = away / ((1.0F + away) * (1.0F + away));
    // A huge x would make 0 times infinity of a slope that is 0.
    const bool flat = __builtin_fabsf(logit) > 80.0F;
    const float through_share = flat ? 0.0F : x[i] * share_slope * logit_slope;
    gradient[i] *= logistic(logit) + through_share;
  }
}

FIXTUNE_MULTIVERSION void relu_backward(float* __restrict gradient, const float* __restrict x, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) gradient[i] = x[i] > 0.0F ? gradient[i] : 0.0F;
}

FIXTUNE_MULTIVERSION void tanh_backward(float* __restrict gradient, const float* __restrict y, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) gradient[i] *= 1.0F - y[i] * y[i];
}

// RandomStream::uniform over consecutive elements, cut where the upper half of the element number changes.
FIXTUNE_MULTIVERSION void dropout_into(float* y, const float* x, const DropoutMask& mask, std::uint64_t first,
                                       std::int64_t n) {
  const std::uint32_t low = mask.low;
  const float probability = mask.probability;
  const float factor = mask.factor;
  while (n > 0) {
    const auto start = static_cast<std::uint32_t>(first);
    const std::uint32_t round_key = mask.high ^ (static_cast<std::uint32_t>(first >> 32U) * 0x9e3779b9U);
    const std::int64_t until_carry = 0x100000000LL - static_cast<std::int64_t>(start);
    const std::int64_t count = n < until_carry ? n : until_carry;
    FIXTUNE_SAFE_IN_PLACE
    for (std::int64_t i = 0; i < count; ++i) {
      const std::uint32_t bits = mix(mix((start + static_cast<std::uint32_t>(i)) ^ low) + round_key);
      const float uniform = static_cast<float>(static_cast<std::int32_t>(bits >> 8U)) * 0x1p-24F;
      y[i] = uniform >= probability ? x[i] * factor : 0.0F;
    }
    y += count;
    x += count;
    first += static_cast<std::uint64_t>(count);
    n -= count;
  }
}

}  // namespace fixtune::detail
