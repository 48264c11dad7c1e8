#include "elementwise_kernels.h"

#include "fixtune/core/multiversion.h"
#include "fixtune/core/random.h"
#include "vector_math.h"

namespace fixtune::detail {

namespace {

constexpr float sqrt_2_over_pi = 0.79788456080286536F;
constexpr float gelu_cubic = 0.044715F;

struct ValueAndSlope {
  float value;
  float slope;
};

// Both GELUs are x times a share in (0, 1). Each share is computed from its small side, as 1 - 0.9999999 would leave
// nothing of it.

FIXTUNE_ALWAYS_INLINE ValueAndSlope gelu_of(float x) {
  const NormalTail normal = vector_normal_tail(__builtin_fabsf(x));
  const float share = x < 0.0F ? normal.tail : 1.0F - normal.tail;
  return {x * share, share + x * normal.density};
}

FIXTUNE_ALWAYS_INLINE ValueAndSlope gelu_tanh_of(float x) {
  // sqrt(2/pi) (x + 0.044715 x^3), twice: the share is the logistic function of it.
  const float logit = 2.0F * sqrt_2_over_pi * (x + gelu_cubic * (x * x * x));
  const float logit_slope = 2.0F * sqrt_2_over_pi * (1.0F + 3.0F * gelu_cubic * (x * x));
  // A huge x would make 0 times infinity of a slope that is 0.
  const bool flat = __builtin_fabsf(logit) > 80.0F;
  const float away = flat ? 0.0F : vector_exp(-__builtin_fabsf(logit));
  const float near = 1.0F / (1.0F + away);
  const float share = logit < 0.0F ? away * near : near;
  const float through_share = flat ? 0.0F : x * (away * near * near) * logit_slope;
  return {x * share, share + through_share};
}

FIXTUNE_ALWAYS_INLINE ValueAndSlope relu_of(float x) { return {x < 0.0F ? 0.0F : x, x > 0.0F ? 1.0F : 0.0F}; }

FIXTUNE_ALWAYS_INLINE void keep(float& to, float slope) { to = slope; }
FIXTUNE_ALWAYS_INLINE void keep(std::uint16_t& to, float slope) { to = vector_bf16(slope); }

template <ValueAndSlope (*activation)(float), typename Slope>
FIXTUNE_ALWAYS_INLINE void values_and_slopes(float* __restrict y, Slope* __restrict slope, const float* __restrict x,
                                             std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) {
    const ValueAndSlope f = activation(x[i]);
    y[i] = f.value;
    keep(slope[i], f.slope);
  }
}

template <ValueAndSlope (*activation)(float)>
FIXTUNE_ALWAYS_INLINE void values(float* __restrict y, const float* __restrict x, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) y[i] = activation(x[i]).value;
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

FIXTUNE_MULTIVERSION void gelu(float* y, float* slope, const float* x, std::int64_t n) {
  values_and_slopes<gelu_of>(y, slope, x, n);
}
FIXTUNE_MULTIVERSION void gelu(float* y, std::uint16_t* slope, const float* x, std::int64_t n) {
  values_and_slopes<gelu_of>(y, slope, x, n);
}
FIXTUNE_MULTIVERSION void gelu(float* y, const float* x, std::int64_t n) { values<gelu_of>(y, x, n); }

FIXTUNE_MULTIVERSION void gelu_tanh(float* y, float* slope, const float* x, std::int64_t n) {
  values_and_slopes<gelu_tanh_of>(y, slope, x, n);
}
FIXTUNE_MULTIVERSION void gelu_tanh(float* y, std::uint16_t* slope, const float* x, std::int64_t n) {
  values_and_slopes<gelu_tanh_of>(y, slope, x, n);
}
FIXTUNE_MULTIVERSION void gelu_tanh(float* y, const float* x, std::int64_t n) { values<gelu_tanh_of>(y, x, n); }

FIXTUNE_MULTIVERSION void relu(float* y, float* slope, const float* x, std::int64_t n) {
  values_and_slopes<relu_of>(y, slope, x, n);
}
FIXTUNE_MULTIVERSION void relu(float* y, std::uint16_t* slope, const float* x, std::int64_t n) {
  values_and_slopes<relu_of>(y, slope, x, n);
}
FIXTUNE_MULTIVERSION void relu(float* y, const float* x, std::int64_t n) { values<relu_of>(y, x, n); }

FIXTUNE_MULTIVERSION void tanh_forward(float* __restrict y, const float* __restrict x, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) y[i] = vector_tanh(x[i]);
}

FIXTUNE_MULTIVERSION void multiply_by(float* __restrict y, const float* __restrict x, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) y[i] *= x[i];
}

FIXTUNE_MULTIVERSION void multiply_by(float* __restrict y, const std::uint16_t* __restrict x_bf16, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) y[i] *= value_of_bf16(x_bf16[i]);
}

FIXTUNE_MULTIVERSION void tanh_backward(float* __restrict gradient, const float* __restrict y, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) gradient[i] *= 1.0F - y[i] * y[i];
}

// RandomStream::bits over consecutive elements, cut where the upper half of the element number changes.
FIXTUNE_MULTIVERSION void dropout_into(float* y, const float* x, const DropoutMask& mask, std::uint64_t first,
                                       std::int64_t n) {
  const std::uint32_t low = mask.low;
  const std::uint32_t threshold = mask.threshold;
  const float factor = mask.factor;
  while (n > 0) {
    const auto start = static_cast<std::uint32_t>(first);
    const std::uint32_t round_key = mask.high ^ (static_cast<std::uint32_t>(first >> 32U) * 0x9e3779b9U);
    const std::int64_t until_carry = 0x100000000LL - static_cast<std::int64_t>(start);
    const std::int64_t count = n < until_carry ? n : until_carry;
    FIXTUNE_SAFE_IN_PLACE
    for (std::int64_t i = 0; i < count; ++i) {
      const std::uint32_t bits = mix32(mix32((start + static_cast<std::uint32_t>(i)) ^ low) + round_key);
      y[i] = bits >= threshold ? x[i] * factor : 0.0F;
    }
    y += count;
    x += count;
    first += static_cast<std::uint64_t>(count);
    n -= count;
  }
}

}  // namespace fixtune::detail
