#pragma once

#include <cstdint>

namespace fixtune::outlier_kernels {

/// sum[i] += code * weights[i]; 512 such products of 12-bit codes fit.
void accumulate(std::int32_t* sum, std::int32_t code, const std::int16_t* weights, std::int64_t count);
/// y[i] += (sum[i]*row_step)*column_step
void add_scaled(const std::int32_t* sum, float row_step, float column_step, std::int64_t count, float* y);
void add_scaled(const std::int64_t* sum, float row_step, float column_step, std::int64_t count, float* y);

}  // namespace fixtune::outlier_kernels
