#pragma once

#include <cstdint>

#include "fixtune/core/aligned_buffer.h"

namespace fixtune {

/// What turns one row of accumulators into floats: `y[n] = (acc[n]*row_step)*column_step[n] + bias[n]`.
///
/// int32 or int64 becomes FP32 once, then two products and a sum, each rounded (design: never acc*(s1*s2)).
struct RowEpilogue {
  float row_step = 1.0F;
  const float* column_steps = nullptr;  ///< null: `column_step` for every column
  float column_step = 1.0F;
  const float* bias = nullptr;  ///< null: none
};

/// Applies the epilogue to n accumulators.
void apply_epilogue(const std::int32_t* acc, Index n, const RowEpilogue& epilogue, float* y);
void apply_epilogue(const std::int64_t* acc, Index n, const RowEpilogue& epilogue, float* y);

/// sum[i] += digit * codes[i], exact in int64.
void accumulate_digit(std::int64_t* sum, std::int32_t digit, const std::int8_t* codes, Index n);

/// out[i] = acc[i] + unit * sum[i], exact in int64: the second digit joins the first inside the accumulators.
void join_digits(const std::int32_t* acc, std::int64_t unit, const std::int64_t* sum, Index n, std::int64_t* out);

}  // namespace fixtune
