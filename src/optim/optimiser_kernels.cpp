#include "optimiser_kernels.h"

#include "fixtune/core/multiversion.h"

namespace fixtune::detail {

namespace {

// Moments of an unused row decay towards 0; as denormals they would slow every later step.
inline __attribute__((always_inline)) float without_denormals(float x) {
  constexpr float smallest_normal = 0x1p-126F;
  return __builtin_fabsf(x) < smallest_normal ? 0.0F : x;
}

}  // namespace

FIXTUNE_MULTIVERSION bool adamw_update(float* __restrict p, float* __restrict m, float* __restrict v,
                                       const float* __restrict g, const AdamWFactors& factors, std::int64_t n) {
  const AdamWFactors f = factors;
  std::uint32_t not_finite = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const float decayed = p[i] * f.keep;
    const float gradient = g[i] * f.gradient;
    const float first = without_denormals(m[i] + f.one_minus_beta1 * (gradient - m[i]));
    const float second = without_denormals(v[i] * f.beta2 + f.one_minus_beta2 * gradient * gradient);
    const float denominator = __builtin_sqrtf(second) / f.sqrt_correction2 + f.epsilon;
    m[i] = first;
    v[i] = second;
    const float updated = decayed - f.step_size * first / denominator;
    p[i] = updated;
    // x - x is +0 for a finite x, else NaN.
    not_finite |= __builtin_bit_cast(std::uint32_t, (updated - updated) + (second - second));
  }
  return not_finite == 0;
}

FIXTUNE_MULTIVERSION double sum_of_squares(const float* x, std::int64_t n) {
  constexpr std::int64_t lanes = 8;
  double lane[lanes] = {};
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes)
    for (std::int64_t l = 0; l < lanes; ++l)
      lane[l] += static_cast<double>(x[i + l]) * static_cast<double>(x[i + l]);
  for (std::int64_t l = 0; i + l < n; ++l) lane[l] += static_cast<double>(x[i + l]) * static_cast<double>(x[i + l]);
  return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

FIXTUNE_MULTIVERSION void multiply(float* x, float factor, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) x[i] *= factor;
}

}  // namespace fixtune::detail
