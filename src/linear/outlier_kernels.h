#pragma once

#include <cstdint>

/// Loops of Approach 1's sparse outlier product, compiled once per instruction set (core/multiversion.h).
namespace fixtune::outlier_kernels {

/// One outlier: its INT12 code, and where its column's weights begin.
struct Term {
  const std::int16_t* weights;
  std::int32_t code;
};

/// `y[n] += (float(sum_i code_i * weights_i[n]) * row_step) * column_step`, the sums exact in int32 (at most 512 terms).
void add_sparse_row(const Term* terms, std::int64_t terms_count, float row_step, float column_step, std::int64_t out,
                    float* y);

/// sum[n] += sum_i code_i * weights_i[n], for rows of more terms than int32 holds.
void accumulate(const Term* terms, std::int64_t terms_count, std::int64_t out, std::int64_t* sum);

/// `y[n] += (float(sum[n]) * row_step) * column_step`.
void add_scaled(const std::int64_t* sum, float row_step, float column_step, std::int64_t count, float* y);

}  // namespace fixtune::outlier_kernels
