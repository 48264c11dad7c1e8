#pragma once

#include <cstdint>

// Loops over elements, on the calling thread.

namespace fixtune::detail {

/// The factors of one AdamW update that are the same for all elements of a parameter.
struct AdamWFactors {
  float gradient = 1.0F;           ///< of the gradient itself
  float keep = 1.0F;               ///< 1 - learning_rate * weight_decay
  float one_minus_beta1 = 0.1F;
  float beta2 = 0.999F;
  float one_minus_beta2 = 0.001F;
  float sqrt_correction2 = 1.0F;   ///< sqrt(1 - beta2^t)
  float epsilon = 1e-8F;
  float step_size = 0.0F;          ///< learning_rate / (1 - beta1^t)
};
/// Returns false where a parameter or second moment is NaN or infinity afterwards.
bool adamw_update(float* p, float* m, float* v, const float* g, const AdamWFactors& factors, std::int64_t n);

/// Sum of x[i]^2 in double, in eight lanes whatever the instruction set.
double sum_of_squares(const float* x, std::int64_t n);

/// x[i] *= factor
void multiply(float* x, float factor, std::int64_t n);

}  // namespace fixtune::detail
