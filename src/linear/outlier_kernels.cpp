#include "linear/outlier_kernels.h"

#include "fixtune/core/multiversion.h"

namespace fixtune::outlier_kernels {
namespace {

// Columns whose sums stay in registers while the terms pass: what a term costs is then reading its weights.
constexpr std::int64_t strip = 64;

FIXTUNE_ALWAYS_INLINE void sum_strip(const Term* terms, std::int64_t terms_count, std::int64_t first,
                                     std::int32_t* __restrict sum) {
  for (std::int64_t n = 0; n < strip; ++n) sum[n] = 0;
  for (std::int64_t t = 0; t < terms_count; ++t) {
    const std::int16_t* __restrict weights = terms[t].weights + first;
    const std::int32_t code = terms[t].code;
    for (std::int64_t n = 0; n < strip; ++n) sum[n] += code * weights[n];
  }
}

FIXTUNE_ALWAYS_INLINE std::int32_t sum_of(const Term* terms, std::int64_t terms_count, std::int64_t n) {
  std::int32_t sum = 0;
  for (std::int64_t t = 0; t < terms_count; ++t) sum += terms[t].code * terms[t].weights[n];
  return sum;
}

}  // namespace

FIXTUNE_MULTIVERSION void add_sparse_row(const Term* terms, std::int64_t terms_count, float row_step,
                                         float column_step, std::int64_t out, float* __restrict y) {
  std::int32_t sum[strip];
  std::int64_t first = 0;
  for (; first + strip <= out; first += strip) {
    sum_strip(terms, terms_count, first, sum);
    for (std::int64_t n = 0; n < strip; ++n) y[first + n] += (static_cast<float>(sum[n]) * row_step) * column_step;
  }
  for (; first < out; ++first)
    y[first] += (static_cast<float>(sum_of(terms, terms_count, first)) * row_step) * column_step;
}

FIXTUNE_MULTIVERSION void accumulate(const Term* terms, std::int64_t terms_count, std::int64_t out,
                                     std::int64_t* __restrict sum) {
  for (std::int64_t n = 0; n < out; ++n) sum[n] += sum_of(terms, terms_count, n);
}

FIXTUNE_MULTIVERSION void add_scaled(const std::int64_t* __restrict sum, float row_step, float column_step,
                                     std::int64_t count, float* __restrict y) {
  for (std::int64_t i = 0; i < count; ++i) y[i] += (static_cast<float>(sum[i]) * row_step) * column_step;
}

}  // namespace fixtune::outlier_kernels
