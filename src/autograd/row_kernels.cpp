#include "row_kernels.h"

#include "fixtune/core/multiversion.h"
#include "vector_math.h"

namespace fixtune::detail {

namespace {

constexpr std::int64_t lanes = 16;

FIXTUNE_ALWAYS_INLINE float fold_sum(float* lane) {
  for (std::int64_t width = lanes / 2; width > 0; width /= 2)
    for (std::int64_t l = 0; l < width; ++l) lane[l] += lane[l + width];
  return lane[0];
}

// sum of term(i), i in [0, n), lane i % 16 first, then the lanes in a tree.
template <typename Term>
FIXTUNE_ALWAYS_INLINE float lane_sum(std::int64_t n, Term term) {
  float lane[lanes] = {};
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes)
    for (std::int64_t l = 0; l < lanes; ++l) lane[l] += term(i + l);
  for (std::int64_t l = 0; i + l < n; ++l) lane[l] += term(i + l);
  return fold_sum(lane);
}

}  // namespace

// Lambdas are always_inline by hand: an outlined one would be compiled for the lowest instruction set.
#define FIXTUNE_TERM(expression) [&](std::int64_t i) __attribute__((always_inline)) { return (expression); }

FIXTUNE_MULTIVERSION void layer_norm_forward(float* __restrict y, float* __restrict mean,
                                             float* __restrict inverse_deviation, const float* __restrict x,
                                             const float* __restrict gamma, const float* __restrict beta,
                                             float epsilon, std::int64_t rows, std::int64_t cols) {
  const float inverse_count = 1.0F / static_cast<float>(cols);
  for (std::int64_t r = 0; r < rows; ++r, x += cols, y += cols) {
    const float m = lane_sum(cols, FIXTUNE_TERM(x[i])) * inverse_count;
    const float variance = lane_sum(cols, FIXTUNE_TERM((x[i] - m) * (x[i] - m))) * inverse_count;
    const float inverse = 1.0F / __builtin_sqrtf(variance + epsilon);
    for (std::int64_t i = 0; i < cols; ++i) y[i] = (x[i] - m) * inverse * gamma[i] + beta[i];
    mean[r] = m;
    inverse_deviation[r] = inverse;
  }
}

FIXTUNE_MULTIVERSION void layer_norm_backward(float* __restrict dx, float* __restrict dgamma,
                                              float* __restrict dbeta, const float* __restrict dy,
                                              const float* __restrict x, const float* __restrict mean,
                                              const float* __restrict inverse_deviation,
                                              const float* __restrict gamma, std::int64_t rows, std::int64_t cols) {
  const float inverse_count = 1.0F / static_cast<float>(cols);
  for (std::int64_t r = 0; r < rows; ++r, x += cols, dy += cols) {
    const float m = mean[r];
    const float inverse = inverse_deviation[r];
    if (dbeta != nullptr)
      for (std::int64_t i = 0; i < cols; ++i) dbeta[i] += dy[i];
    if (dgamma != nullptr)
      for (std::int64_t i = 0; i < cols; ++i) dgamma[i] += dy[i] * ((x[i] - m) * inverse);
    if (dx != nullptr) {
      const float mean_g = lane_sum(cols, FIXTUNE_TERM(dy[i] * gamma[i])) * inverse_count;
      const float mean_gx =
          lane_sum(cols, FIXTUNE_TERM(dy[i] * gamma[i] * ((x[i] - m) * inverse))) * inverse_count;
      for (std::int64_t i = 0; i < cols; ++i)
        dx[i] = inverse * (dy[i] * gamma[i] - mean_g - (x[i] - m) * inverse * mean_gx);
      dx += cols;
    }
  }
}

#undef FIXTUNE_TERM

}  // namespace fixtune::detail
