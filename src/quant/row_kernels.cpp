#include "quant/row_kernels.h"

#include "fixtune/core/multiversion.h"
#include "quant/fetch.h"
#include "quant/rounding.h"

#if defined(FIXTUNE_FOR_AVX512)
#include <immintrin.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#endif

// No Eigen, no standard templates: see core/multiversion.h. The helpers are forced inline so that each clone
// compiles its own copy of them.
namespace fixtune::row_kernels {
namespace {

using rounding::magnitude_bits;

FIXTUNE_ALWAYS_INLINE float scaled(float x, Scale scale) { return rounding::clamped(x * scale.inverse, scale.limit); }

template <typename Code>
FIXTUNE_ALWAYS_INLINE std::uint32_t nearest_codes(const float* __restrict x, Index n, Scale scale,
                                                  Code* __restrict codes) {
  std::uint32_t sum = 0;
  for (Index j = 0; j < n; ++j) {
    const std::int32_t code = rounding::nearest(scaled(x[j], scale));
    codes[j] = static_cast<Code>(code);
    sum += static_cast<std::uint32_t>(code);
  }
  return sum;
}

template <typename Code>
FIXTUNE_ALWAYS_INLINE std::int32_t nearest_row(const float* x, Index n, Scale scale, Code* codes, const float* next) {
  std::uint32_t sum = 0;
  Index j = 0;
  for (; j + stretch <= n; j += stretch) {
    if (next != nullptr) fetch(next + j + stretch / 2, stretch / 2);
    sum += nearest_codes(x + j, stretch, scale, codes + j);
  }
  return static_cast<std::int32_t>(sum + nearest_codes(x + j, n - j, scale, codes + j));
}

template <typename Code>
FIXTUNE_ALWAYS_INLINE std::int32_t stochastic_row(const float* __restrict x, Index n, Scale scale, Randomness random,
                                                  Code* __restrict codes) {
  std::uint32_t sum = 0;
  for (Index j = 0; j < n; ++j) {
    const float u = rounding::uniform(random.low, random.high, random.first + static_cast<std::uint32_t>(j));
    const std::int32_t code = rounding::stochastic(scaled(x[j], scale), u);
    codes[j] = static_cast<Code>(code);
    sum += static_cast<std::uint32_t>(code);
  }
  return static_cast<std::int32_t>(sum);
}

template <typename Code>
FIXTUNE_ALWAYS_INLINE std::int32_t dithered_row(const float* __restrict x, Index n, Scale scale, std::uint32_t place,
                                                Code* __restrict codes) {
  std::uint32_t sum = 0;
  for (Index j = 0; j < n; ++j) {
    const std::uint32_t at = place + static_cast<std::uint32_t>(j) * rounding::golden_section;
    const std::int32_t code = rounding::dithered(x[j] * scale.inverse, at, scale.limit);
    codes[j] = static_cast<Code>(code);
    sum += static_cast<std::uint32_t>(code);
  }
  return static_cast<std::int32_t>(sum);
}

/// Bit l tells whether x[l] is above the threshold.
FIXTUNE_ALWAYS_INLINE std::uint64_t which_above(const float* x, std::int32_t n, MagnitudeBits threshold) {
  std::uint64_t mask = 0;
  for (std::int32_t l = 0; l < n; ++l)
    mask |= static_cast<std::uint64_t>(magnitude_bits(x[l]) > threshold) << static_cast<std::uint32_t>(l);
  return mask;
}

#if defined(__SSE2__)
FIXTUNE_ALWAYS_INLINE __m128i four_above(const float* x, __m128i threshold) {
  const __m128i bits = _mm_and_si128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x)), _mm_set1_epi32(0x7fffffff));
  return _mm_cmpgt_epi32(bits, threshold);
}
#endif

inline constexpr std::int32_t mask_bits = 64;

// Compilers do not find the instructions that make bits of comparisons.
FIXTUNE_ALWAYS_INLINE std::uint64_t which_above(const float* x, MagnitudeBits threshold) {
#if defined(__SSE2__)
  const __m128i least = _mm_set1_epi32(threshold);
  std::uint64_t mask = 0;
  for (std::int32_t j = 0; j < mask_bits; j += 16) {
    const __m128i low = _mm_packs_epi32(four_above(x + j, least), four_above(x + j + 4, least));
    const __m128i high = _mm_packs_epi32(four_above(x + j + 8, least), four_above(x + j + 12, least));
    mask |= static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_packs_epi16(low, high)))) << j;
  }
  return mask;
#else
  return which_above(x, mask_bits, threshold);
#endif
}

/// Writes `begin` + l of every bit l; returns how many there are with the `found` before them.
FIXTUNE_ALWAYS_INLINE std::int32_t collect(std::uint64_t mask, std::int32_t begin, std::int32_t* positions,
                                           std::int32_t found) {
  for (; mask != 0; mask &= mask - 1) positions[found++] = begin + __builtin_ctzll(mask);
  return found;
}

FIXTUNE_ALWAYS_INLINE MagnitudeBits largest_of(const float* x, Index n, MagnitudeBits largest) {
  for (Index j = 0; j < n; ++j) {
    const MagnitudeBits bits = magnitude_bits(x[j]);
    largest = bits > largest ? bits : largest;
  }
  return largest;
}

FIXTUNE_ALWAYS_INLINE MagnitudeBits join_magnitudes(const float* x, Index n, MagnitudeBits threshold,
                                                    Magnitudes& most) {
  MagnitudeBits all = 0;
  MagnitudeBits inliers = most.inliers;
  for (Index j = 0; j < n; ++j) {
    const MagnitudeBits bits = magnitude_bits(x[j]);
    const MagnitudeBits inlier = bits > threshold ? 0 : bits;
    all = bits > all ? bits : all;
    inliers = inlier > inliers ? inlier : inliers;
  }
  most = {all > most.all ? all : most.all, inliers};
  return all;
}

}  // namespace

FIXTUNE_MULTIVERSION MagnitudeBits max_magnitude_bits(const float* x, Index n, const float* next) {
  MagnitudeBits largest = 0;
  Index j = 0;
  for (; j + stretch <= n; j += stretch) {
    if (next != nullptr) fetch(next + j, stretch);
    largest = largest_of(x + j, stretch, largest);
  }
  if (next != nullptr) fetch(next + j, n - j);
  return largest_of(x + j, n - j, largest);
}

FIXTUNE_MULTIVERSION Magnitudes max_magnitudes(const float* x, Index n, MagnitudeBits threshold,
                                               MagnitudeBits* largest_of_stretches, const float* next) {
  Magnitudes most;
  Index j = 0;
  for (; j + stretch <= n; j += stretch) {
    if (next != nullptr) fetch(next + j, stretch / 2);
    *largest_of_stretches++ = join_magnitudes(x + j, stretch, threshold, most);
  }
  if (next != nullptr) fetch(next + j, n - j);
  *largest_of_stretches = join_magnitudes(x + j, n - j, threshold, most);
  return most;
}

/// which_above of `count` times 64 values. Not in the unnamed namespace: there Clang 14 takes one of them for unused.
FIXTUNE_FOR_ANY void masks_above(const float* x, std::int32_t count, MagnitudeBits threshold, std::uint64_t* masks) {
  for (std::int32_t i = 0; i < count; ++i) masks[i] = which_above(x + i * mask_bits, threshold);
}

#if defined(FIXTUNE_FOR_AVX512)
FIXTUNE_FOR_AVX512 void masks_above(const float* x, std::int32_t count, MagnitudeBits threshold, std::uint64_t* masks) {
  const __m512i least = _mm512_set1_epi32(threshold), magnitude = _mm512_set1_epi32(0x7fffffff);
  for (std::int32_t i = 0; i < count; ++i) {
    std::uint64_t mask = 0;
    for (std::int32_t j = 0; j < mask_bits; j += 16) {
      const __m512i bits = _mm512_and_si512(_mm512_loadu_si512(x + i * mask_bits + j), magnitude);
      mask |= static_cast<std::uint64_t>(_mm512_cmpgt_epi32_mask(bits, least)) << j;
    }
    masks[i] = mask;
  }
}
#endif

// Only stretches that hold an outlier are walked, and a branch is taken where 64 values hold one.
std::int32_t find_above(const float* x, std::int32_t n, MagnitudeBits threshold,
                        const MagnitudeBits* largest_of_stretches, std::int32_t* positions) {
  std::int32_t found = 0;
  for (std::int32_t begin = 0; begin < n; begin += stretch) {
    if (largest_of_stretches[begin / stretch] <= threshold) continue;
    const std::int32_t end = begin + stretch < n ? begin + stretch : n;
    const std::int32_t count = (end - begin) / mask_bits;
    std::uint64_t masks[stretch / mask_bits];
    masks_above(x + begin, count, threshold, masks);
    std::int32_t j = begin;
    for (std::int32_t i = 0; i < count; ++i, j += mask_bits) found = collect(masks[i], j, positions, found);
    found = collect(which_above(x + j, end - j, threshold), j, positions, found);
  }
  return found;
}

FIXTUNE_MULTIVERSION void split_values(const float* __restrict x, std::int32_t n, float gamma,
                                       std::int32_t* __restrict digits, float* __restrict remainders) {
  constexpr double most = 1e9;
  const double half = gamma;
  const double width = 2.0 * half;
  for (std::int32_t j = 0; j < n; ++j) {
    const bool finite = magnitude_bits(x[j]) < infinity_bits;
    const double value = finite ? static_cast<double>(x[j]) : 0.0;
    double quotient = (value + half) / width;
    quotient = quotient < -most ? -most : quotient;
    quotient = quotient > most ? most : quotient;
    // floor() as a truncation.
    auto k = static_cast<std::int32_t>(quotient);
    k -= static_cast<std::int32_t>(static_cast<double>(k) > quotient);
    // The quotient is rounded, so that k may be one off beside a boundary; the remainder in double is not.
    const double rest = value - width * static_cast<double>(k);
    k += static_cast<std::int32_t>(rest >= half) - static_cast<std::int32_t>(rest < -half);
    digits[j] = k;
    remainders[j] = finite ? static_cast<float>(value - width * static_cast<double>(k)) : x[j];
  }
}

// The lanes are added by halves, written out: a row of a few hundred values would wait longer for one after another
// than for its squares.
FIXTUNE_MULTIVERSION double sum_of_squares(const float* __restrict x, Index n) {
  constexpr Index lanes = 64;
  constexpr Index quarter = lanes / 4;
  float sums[lanes] = {};
  Index j = 0;
  for (; j + lanes <= n; j += lanes)
    for (Index l = 0; l < lanes; ++l) sums[l] += x[j + l] * x[j + l];
  for (Index l = 0; l < n - j; ++l) sums[l] += x[j + l] * x[j + l];
  float s[quarter];
  for (Index l = 0; l < quarter; ++l)
    s[l] = (sums[l] + sums[l + quarter]) + (sums[l + 2 * quarter] + sums[l + 3 * quarter]);
  const float low = ((s[0] + s[8]) + (s[4] + s[12])) + ((s[2] + s[10]) + (s[6] + s[14]));
  const float high = ((s[1] + s[9]) + (s[5] + s[13])) + ((s[3] + s[11]) + (s[7] + s[15]));
  return static_cast<double>(low) + static_cast<double>(high);
}

FIXTUNE_MULTIVERSION std::int32_t sum_of_codes(const std::int8_t* codes, Index n) {
  std::int32_t sum = 0;
  Index j = 0;
#if defined(__SSE2__)
  // Bytes that count from 0 can be added up by eights: codes less -128.
  __m128i eights = _mm_setzero_si128();
  for (; j + 16 <= n; j += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(codes + j));
    eights = _mm_add_epi64(eights, _mm_sad_epu8(_mm_xor_si128(bytes, _mm_set1_epi8(-128)), _mm_setzero_si128()));
  }
  const __m128i both = _mm_add_epi64(eights, _mm_unpackhi_epi64(eights, eights));
  sum = static_cast<std::int32_t>(_mm_cvtsi128_si64(both) - 128 * j);
#endif
  for (; j < n; ++j) sum += codes[j];
  return sum;
}

FIXTUNE_MULTIVERSION std::int32_t quantize_nearest(const float* x, Index n, Scale scale, std::int8_t* codes,
                                                   const float* next) {
  return nearest_row(x, n, scale, codes, next);
}

FIXTUNE_MULTIVERSION std::int32_t quantize_nearest(const float* x, Index n, Scale scale, std::int16_t* codes,
                                                   const float* next) {
  return nearest_row(x, n, scale, codes, next);
}

FIXTUNE_MULTIVERSION std::int32_t quantize_stochastic(const float* x, Index n, Scale scale, Randomness random,
                                                      std::int8_t* codes) {
  return stochastic_row(x, n, scale, random, codes);
}

FIXTUNE_MULTIVERSION std::int32_t quantize_stochastic(const float* x, Index n, Scale scale, Randomness random,
                                                      std::int16_t* codes) {
  return stochastic_row(x, n, scale, random, codes);
}

FIXTUNE_MULTIVERSION std::int32_t quantize_dithered(const float* x, Index n, Scale scale, std::uint32_t place,
                                                    std::int8_t* codes) {
  return dithered_row(x, n, scale, place, codes);
}

FIXTUNE_MULTIVERSION std::int32_t quantize_dithered(const float* x, Index n, Scale scale, std::uint32_t place,
                                                    std::int16_t* codes) {
  return dithered_row(x, n, scale, place, codes);
}

FIXTUNE_MULTIVERSION void quantize_stochastic_at(const float* __restrict x, const std::int32_t* __restrict offsets,
                                                 Index n, Scale scale, Randomness random,
                                                 std::int16_t* __restrict codes) {
  for (Index j = 0; j < n; ++j) {
    const float u = rounding::uniform(random.low, random.high, random.first + static_cast<std::uint32_t>(offsets[j]));
    codes[j] = static_cast<std::int16_t>(rounding::stochastic(scaled(x[j], scale), u));
  }
}

FIXTUNE_MULTIVERSION void quantize_dithered_at(const float* __restrict x, const std::int32_t* __restrict offsets,
                                               Index n, Scale scale, std::uint32_t place,
                                               std::int16_t* __restrict codes) {
  for (Index j = 0; j < n; ++j) {
    const std::uint32_t at = place + static_cast<std::uint32_t>(offsets[j]) * rounding::golden_section;
    codes[j] = static_cast<std::int16_t>(rounding::dithered(x[j] * scale.inverse, at, scale.limit));
  }
}

}  // namespace fixtune::row_kernels
