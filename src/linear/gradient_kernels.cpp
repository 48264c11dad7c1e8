#include "linear/gradient_kernels.h"

#include "fixtune/core/multiversion.h"
#include "quant/fetch.h"
#include "quant/rounding.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace fixtune::gradient_kernels {
namespace {

using rounding::clamped;
using rounding::magnitude_bits;
using row_kernels::stretch;

FIXTUNE_ALWAYS_INLINE std::uint32_t in_byte(std::int32_t code, int byte) {
  return (static_cast<std::uint32_t>(code) & 0xffU) << (8 * byte);
}

FIXTUNE_ALWAYS_INLINE std::int32_t larger(std::int32_t a, std::int32_t b) { return a > b ? a : b; }

FIXTUNE_ALWAYS_INLINE void nearest_words(const GroupPass& pass, std::int64_t columns, std::uint32_t* __restrict words) {
  const float* __restrict x0 = pass.rows[0];
  const float* __restrict x1 = pass.rows[1];
  const float* __restrict x2 = pass.rows[2];
  const float* __restrict x3 = pass.rows[3];
  const float* __restrict inverse = pass.inverse;
  const float s0 = pass.row_scale[0], s1 = pass.row_scale[1], s2 = pass.row_scale[2], s3 = pass.row_scale[3];
  const float limit = pass.limit;
  for (std::int64_t n = 0; n < columns; ++n) {
    const std::uint32_t q0 = in_byte(rounding::nearest(clamped((x0[n] * s0) * inverse[n], limit)), 0);
    const std::uint32_t q1 = in_byte(rounding::nearest(clamped((x1[n] * s1) * inverse[n], limit)), 1);
    const std::uint32_t q2 = in_byte(rounding::nearest(clamped((x2[n] * s2) * inverse[n], limit)), 2);
    const std::uint32_t q3 = in_byte(rounding::nearest(clamped((x3[n] * s3) * inverse[n], limit)), 3);
    words[n] = (q0 | q1 | q2 | q3) ^ 0x80808080U;
  }
}

FIXTUNE_ALWAYS_INLINE void dithered_words(const GroupPass& pass, const GroupDither& dither, std::int64_t columns,
                                            std::uint32_t* __restrict words) {
  const float* __restrict x0 = pass.rows[0];
  const float* __restrict x1 = pass.rows[1];
  const float* __restrict x2 = pass.rows[2];
  const float* __restrict x3 = pass.rows[3];
  const float* __restrict inverse = pass.inverse;
  const std::uint32_t* __restrict start = dither.start;
  const float s0 = pass.row_scale[0], s1 = pass.row_scale[1], s2 = pass.row_scale[2], s3 = pass.row_scale[3];
  const std::uint32_t t0 = dither.turn, t1 = t0 + rounding::golden_section, t2 = t1 + rounding::golden_section,
                      t3 = t2 + rounding::golden_section;
  const float limit = pass.limit;
  for (std::int64_t n = 0; n < columns; ++n) {
    const std::uint32_t q0 = in_byte(rounding::dithered((x0[n] * s0) * inverse[n], start[n] + t0, limit), 0);
    const std::uint32_t q1 = in_byte(rounding::dithered((x1[n] * s1) * inverse[n], start[n] + t1, limit), 1);
    const std::uint32_t q2 = in_byte(rounding::dithered((x2[n] * s2) * inverse[n], start[n] + t2, limit), 2);
    const std::uint32_t q3 = in_byte(rounding::dithered((x3[n] * s3) * inverse[n], start[n] + t3, limit), 3);
    words[n] = (q0 | q1 | q2 | q3) ^ 0x80808080U;
  }
}

// A whole group is three lines. Written past the caches they need not be read first, which took as long as all the rest;
// the locked instruction of the barrier behind the loop makes them visible to other threads.
FIXTUNE_ALWAYS_INLINE void store(const std::uint32_t (&words)[48], const GroupPass& pass) {
  if (pass.columns != 48) {
    __builtin_memcpy(pass.out, words, static_cast<unsigned long>(4 * pass.columns));
    return;
  }
#if defined(__SSE2__)
  if (pass.stream) {
    const auto* from = reinterpret_cast<const __m128i*>(words);
    auto* to = reinterpret_cast<__m128i*>(pass.out);
    for (int i = 0; i < 12; ++i) _mm_stream_si128(to + i, _mm_loadu_si128(from + i));
    return;
  }
#endif
  __builtin_memcpy(pass.out, words, sizeof words);
}

// The readers of a row take it a stretch at a time, which stays in the first-level cache, and so does what they keep.
FIXTUNE_ALWAYS_INLINE std::int32_t read_stretch(const RowPass& pass, std::int64_t first, std::int64_t count) {
  const float* __restrict dy = pass.dy + first;
  if (pass.next != nullptr) row_kernels::fetch(pass.next + first, count);
  if (pass.column_largest != nullptr) {
    std::int32_t* __restrict largest = pass.column_largest + first;
    const float scale = pass.row_scale;
    for (std::int64_t n = 0; n < count; ++n) largest[n] = larger(largest[n], magnitude_bits(dy[n] * scale));
  }
  if (pass.column_sum != nullptr) {
    float* __restrict sum = pass.column_sum + first;
    for (std::int64_t n = 0; n < count; ++n) sum[n] += dy[n];
  }
  std::int32_t row_largest = 0;
  if (pass.scaled == nullptr || pass.column_scale == nullptr) {
    for (std::int64_t n = 0; n < count; ++n) row_largest = larger(row_largest, magnitude_bits(dy[n]));
    return row_largest;
  }
  float* __restrict scaled = pass.scaled + first;
  const float* __restrict scale = pass.column_scale + first;
  for (std::int64_t n = 0; n < count; ++n) {
    scaled[n] = dy[n] * scale[n];
    row_largest = larger(row_largest, magnitude_bits(scaled[n]));
  }
  return row_largest;
}

}  // namespace

FIXTUNE_MULTIVERSION std::int32_t read_row(const RowPass& pass) {
  std::int32_t row_largest = 0;
  std::int64_t n = 0;
  // A known number of elements: no remainder loops.
  for (; n + stretch <= pass.count; n += stretch) row_largest = larger(row_largest, read_stretch(pass, n, stretch));
  if (n < pass.count) row_largest = larger(row_largest, read_stretch(pass, n, pass.count - n));
  return row_largest;
}

FIXTUNE_MULTIVERSION void encode_nearest(const GroupPass& pass) {
  std::uint32_t words[48];
  // A known number of columns: no remainder loops.
  if (pass.columns == 48)
    nearest_words(pass, 48, words);
  else
    nearest_words(pass, pass.columns, words);
  store(words, pass);
}

FIXTUNE_MULTIVERSION void encode_dithered(const GroupPass& pass, const GroupDither& dither) {
  std::uint32_t words[48];
  if (pass.columns == 48)
    dithered_words(pass, dither, 48, words);
  else
    dithered_words(pass, dither, pass.columns, words);
  store(words, pass);
}

FIXTUNE_MULTIVERSION void encode_stochastic(const GroupPass& pass, const GroupNumbers& numbers) {
  const float* __restrict inverse = pass.inverse;
  std::uint32_t words[48];
  for (std::int64_t n = 0; n < pass.columns; ++n) words[n] = 0x80808080U;
  for (int t = 0; t < 4; ++t) {
    const float* __restrict x = pass.rows[t];
    const float scale = pass.row_scale[t], limit = pass.limit;
    const std::uint32_t low = numbers.low, high = numbers.high[t], first = numbers.first[t];
    for (std::int64_t n = 0; n < pass.columns; ++n) {
      const float u = rounding::uniform(low, high, first + static_cast<std::uint32_t>(n));
      words[n] ^= in_byte(rounding::stochastic(clamped((x[n] * scale) * inverse[n], limit), u), t);
    }
  }
  store(words, pass);
}

FIXTUNE_MULTIVERSION void join_largest(std::int32_t* __restrict into, const std::int32_t* __restrict other,
                                       std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) into[i] = larger(into[i], other[i]);
}

FIXTUNE_MULTIVERSION void add(float* __restrict into, const float* __restrict other, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) into[i] += other[i];
}

}  // namespace fixtune::gradient_kernels
