#include "transpose_tiles.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace fixtune::detail {
namespace {

/// One tile, of the columns from `lines` on.
void transpose_tile(const std::int8_t* lines, std::int64_t stride, std::int64_t groups, std::int8_t* out,
                    std::int32_t* sums) {
#if defined(__SSE2__)
  auto* const kept = reinterpret_cast<__m128i*>(sums);
  __m128i low_sums = _mm_loadu_si128(kept), high_sums = _mm_loadu_si128(kept + 1);
  // Four codes in each 32 bits: bytes to pairs in 16 bits, pairs to one sum.
  const auto sum_fours = [](__m128i codes) {
    const __m128i even = _mm_srai_epi16(_mm_slli_epi16(codes, 8), 8);
    return _mm_madd_epi16(_mm_add_epi16(even, _mm_srai_epi16(codes, 8)), _mm_set1_epi16(1));
  };
  for (std::int64_t g = 0; g < groups; ++g, lines += 4 * stride, out += 32) {
    const auto load = [&](std::int64_t t) {
      return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(lines + t * stride));
    };
    const __m128i ab = _mm_unpacklo_epi8(load(0), load(1));
    const __m128i cd = _mm_unpacklo_epi8(load(2), load(3));
    const __m128i low = _mm_unpacklo_epi16(ab, cd), high = _mm_unpackhi_epi16(ab, cd);
    low_sums = _mm_add_epi32(low_sums, sum_fours(low));
    high_sums = _mm_add_epi32(high_sums, sum_fours(high));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), low);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out) + 1, high);
  }
  _mm_storeu_si128(kept, low_sums);
  _mm_storeu_si128(kept + 1, high_sums);
#else
  for (std::int64_t g = 0; g < groups; ++g, lines += 4 * stride, out += 32)
    for (std::int64_t n = 0; n < 8; ++n)
      for (std::int64_t t = 0; t < 4; ++t) {
        out[4 * n + t] = lines[t * stride + n];
        sums[n] += lines[t * stride + n];
      }
#endif
}

}  // namespace

void transpose_tiles_portable(const TransposeWork& w) {
  for (std::int64_t i = 0; i < w.tiles; ++i)
    transpose_tile(w.codes + 8 * i, w.stride, w.groups, w.out + i * w.tile_stride, w.sums + 8 * i);
}

}  // namespace fixtune::detail
