#include "fixtune/gemm/epilogue.h"

#include "fixtune/core/multiversion.h"

namespace fixtune {
namespace {

template <typename Accumulator>
[[gnu::always_inline]] inline void epilogue_row(const Accumulator* acc, Index n, float row_step,
                                                const float* column_steps, float column_step, const float* bias,
                                                float* y) {
  if (column_steps != nullptr) {
    for (Index i = 0; i < n; ++i) y[i] = (static_cast<float>(acc[i]) * row_step) * column_steps[i];
  } else {
    for (Index i = 0; i < n; ++i) y[i] = (static_cast<float>(acc[i]) * row_step) * column_step;
  }
  if (bias != nullptr)
    for (Index i = 0; i < n; ++i) y[i] += bias[i];
}

FIXTUNE_MULTIVERSION
void epilogue_row32(const std::int32_t* acc, Index n, float row_step, const float* column_steps, float column_step,
                    const float* bias, float* y) {
  epilogue_row(acc, n, row_step, column_steps, column_step, bias, y);
}

FIXTUNE_MULTIVERSION
void epilogue_row64(const std::int64_t* acc, Index n, float row_step, const float* column_steps, float column_step,
                    const float* bias, float* y) {
  epilogue_row(acc, n, row_step, column_steps, column_step, bias, y);
}

FIXTUNE_MULTIVERSION
void accumulate_row(std::int64_t* sum, std::int32_t digit, const std::int8_t* codes, Index n) {
  for (Index i = 0; i < n; ++i) sum[i] += digit * static_cast<std::int32_t>(codes[i]);
}

FIXTUNE_MULTIVERSION
void join_row(const std::int32_t* acc, std::int64_t unit, const std::int64_t* sum, Index n, std::int64_t* out) {
  for (Index i = 0; i < n; ++i) out[i] = acc[i] + unit * sum[i];
}

}  // namespace

void apply_epilogue(const std::int32_t* acc, Index n, const RowEpilogue& e, float* y) {
  epilogue_row32(acc, n, e.row_step, e.column_steps, e.column_step, e.bias, y);
}

void apply_epilogue(const std::int64_t* acc, Index n, const RowEpilogue& e, float* y) {
  epilogue_row64(acc, n, e.row_step, e.column_steps, e.column_step, e.bias, y);
}

void accumulate_digit(std::int64_t* sum, std::int32_t digit, const std::int8_t* codes, Index n) {
  accumulate_row(sum, digit, codes, n);
}

void join_digits(const std::int32_t* acc, std::int64_t unit, const std::int64_t* sum, Index n, std::int64_t* out) {
  join_row(acc, unit, sum, n, out);
}

}  // namespace fixtune
