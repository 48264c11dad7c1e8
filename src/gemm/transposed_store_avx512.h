#pragma once

#include <immintrin.h>

#include <cstdint>

#include "unroll.h"

// For kernel files only: static, so that each instruction set keeps its own copy.

namespace fixtune::detail {

/// Four rows of 16, `width` apart, as four vectors of four columns each: lane l of columns[n] is column 4 l + n.
static inline void columns_of_four_rows(__m512 (&columns)[4], const float* rows, std::int64_t width) {
  const __m512 a = _mm512_loadu_ps(rows), b = _mm512_loadu_ps(rows + width);
  const __m512 c = _mm512_loadu_ps(rows + 2 * width), d = _mm512_loadu_ps(rows + 3 * width);
  const __m512 ab_low = _mm512_unpacklo_ps(a, b), ab_high = _mm512_unpackhi_ps(a, b);
  const __m512 cd_low = _mm512_unpacklo_ps(c, d), cd_high = _mm512_unpackhi_ps(c, d);
  columns[0] = _mm512_shuffle_ps(ab_low, cd_low, 0x44);
  columns[1] = _mm512_shuffle_ps(ab_low, cd_low, 0xee);
  columns[2] = _mm512_shuffle_ps(ab_high, cd_high, 0x44);
  columns[3] = _mm512_shuffle_ps(ab_high, cd_high, 0xee);
}

/// y[n*stride + r] = (y + where Add) tile[r*width + n] for 8 rows and 16 columns.
template <bool Add>
static inline void store_transposed_8x16(const float* tile, std::int64_t width, float* y, std::int64_t stride) {
  __m512 upper[4], lower[4];
  columns_of_four_rows(upper, tile, width);
  columns_of_four_rows(lower, tile + 4 * width, width);
  const auto put = [&](std::int64_t n, __m256 rows) __attribute__((always_inline)) {
    float* out = y + n * stride;
    if constexpr (Add) rows = _mm256_add_ps(_mm256_loadu_ps(out), rows);
    _mm256_storeu_ps(out, rows);
  };
  const __m512i lanes_0_and_1 = _mm512_set_epi64(11, 10, 3, 2, 9, 8, 1, 0);
  const __m512i lanes_2_and_3 = _mm512_set_epi64(15, 14, 7, 6, 13, 12, 5, 4);
FIXTUNE_UNROLL
  for (int n = 0; n < 4; ++n) {
    const __m512d a = _mm512_castps_pd(upper[n]), b = _mm512_castps_pd(lower[n]);
    const __m512 first = _mm512_castpd_ps(_mm512_permutex2var_pd(a, lanes_0_and_1, b));
    const __m512 second = _mm512_castpd_ps(_mm512_permutex2var_pd(a, lanes_2_and_3, b));
    put(n, _mm512_castps512_ps256(first));
    put(n + 4, _mm512_extractf32x8_ps(first, 1));
    put(n + 8, _mm512_castps512_ps256(second));
    put(n + 12, _mm512_extractf32x8_ps(second, 1));
  }
}

}  // namespace fixtune::detail
