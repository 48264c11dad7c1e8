#pragma once

#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace fixtune::detail {

/// out[4*n + t] = lines[t*stride + n] ^ flip for n < count: four lines woven into groups of four.
inline void interleave_four(const std::int8_t* lines, std::int64_t stride, std::int64_t count, int flip,
                            std::uint8_t* out) {
  std::int64_t n = 0;
#if defined(__SSE2__)
  const auto load = [&](std::int64_t t) {
    return _mm_xor_si128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(lines + t * stride + n)),
                         _mm_set1_epi8(static_cast<char>(flip)));
  };
  for (; n + 16 <= count; n += 16) {
    const __m128i a = load(0), b = load(1), c = load(2), d = load(3);
    const __m128i ab_low = _mm_unpacklo_epi8(a, b), ab_high = _mm_unpackhi_epi8(a, b);
    const __m128i cd_low = _mm_unpacklo_epi8(c, d), cd_high = _mm_unpackhi_epi8(c, d);
    auto* to = reinterpret_cast<__m128i*>(out + 4 * n);
    _mm_storeu_si128(to, _mm_unpacklo_epi16(ab_low, cd_low));
    _mm_storeu_si128(to + 1, _mm_unpackhi_epi16(ab_low, cd_low));
    _mm_storeu_si128(to + 2, _mm_unpacklo_epi16(ab_high, cd_high));
    _mm_storeu_si128(to + 3, _mm_unpackhi_epi16(ab_high, cd_high));
  }
#endif
  for (; n < count; ++n)
    for (std::int64_t t = 0; t < 4; ++t)
      out[4 * n + t] = static_cast<std::uint8_t>(lines[t * stride + n] ^ flip);
}

/// out[g*out_stride + 4*n ...] = the four bytes g of line n, for up to four lines: groups of four change places as wholes.
inline void transpose_groups(const std::int8_t* lines, std::int64_t stride, std::int64_t count, std::int64_t groups,
                             int flip, std::uint8_t* out, std::int64_t out_stride) {
  std::int64_t g = 0;
#if defined(__SSE2__)
  const auto load = [&](std::int64_t n) {
    return _mm_xor_si128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(lines + n * stride + 4 * g)),
                         _mm_set1_epi8(static_cast<char>(flip)));
  };
  const auto store = [&](std::int64_t i, __m128i value) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + (g + i) * out_stride), value);
  };
  for (; count == 4 && g + 4 <= groups; g += 4) {
    const __m128i a = load(0), b = load(1), c = load(2), d = load(3);
    const __m128i ab_low = _mm_unpacklo_epi32(a, b), ab_high = _mm_unpackhi_epi32(a, b);
    const __m128i cd_low = _mm_unpacklo_epi32(c, d), cd_high = _mm_unpackhi_epi32(c, d);
    store(0, _mm_unpacklo_epi64(ab_low, cd_low));
    store(1, _mm_unpackhi_epi64(ab_low, cd_low));
    store(2, _mm_unpacklo_epi64(ab_high, cd_high));
    store(3, _mm_unpackhi_epi64(ab_high, cd_high));
  }
#endif
  for (; g < groups; ++g)
    for (std::int64_t n = 0; n < count; ++n)
      for (std::int64_t t = 0; t < 4; ++t)
        out[g * out_stride + 4 * n + t] = static_cast<std::uint8_t>(lines[n * stride + 4 * g + t] ^ flip);
}

}  // namespace fixtune::detail
