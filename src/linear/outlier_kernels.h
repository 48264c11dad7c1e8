#pragma once

#include <cstdint>

/// The loop of Approach 1's outlier tile, compiled once per instruction set (core/multiversion.h).
namespace fixtune::outlier_kernels {

/// `y[n] += (float(sum[n]) * row_step) * column_step`.
void add_scaled(const std::int64_t* sum, float row_step, float column_step, std::int64_t count, float* y);

}  // namespace fixtune::outlier_kernels
