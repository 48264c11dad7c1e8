#pragma once

#include <cstdint>

// Loops over rows, on the calling thread. Sums run in a fixed number of lanes, so that every instruction set adds
// in the same order.

namespace fixtune::detail {

/// y = (x - mean) * inverse_deviation * gamma + beta for `rows` rows; fills mean and inverse_deviation.
void layer_norm_forward(float* y, float* mean, float* inverse_deviation, const float* x, const float* gamma,
                        const float* beta, float epsilon, std::int64_t rows, std::int64_t cols);

/// dx of `rows` rows, and their sums added to dgamma and dbeta; each of the three may be null.
void layer_norm_backward(float* dx, float* dgamma, float* dbeta, const float* dy, const float* x, const float* mean,
                         const float* inverse_deviation, const float* gamma, std::int64_t rows, std::int64_t cols);

}  // namespace fixtune::detail
