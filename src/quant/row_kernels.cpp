#include "quant/row_kernels.h"

#include "fixtune/core/multiversion.h"
#include "quant/fetch.h"
#include "quant/rounding.h"

#if defined(__SSE2__)
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

FIXTUNE_ALWAYS_INLINE std::int32_t count_above(const float* x, std::int32_t n, MagnitudeBits threshold) {
  std::int32_t count = 0;
  for (std::int32_t j = 0; j < n; ++j) count += static_cast<std::int32_t>(magnitude_bits(x[j]) > threshold);
  return count;
}

// Writes every position and keeps those above: no branch to mispredict.
FIXTUNE_ALWAYS_INLINE std::int32_t collect_above(const float* x, std::int32_t begin, std::int32_t end,
                                          MagnitudeBits threshold, std::int32_t* positions, std::int32_t found) {
  for (std::int32_t j = begin; j < end; ++j) {
    positions[found] = j;
    found += static_cast<std::int32_t>(magnitude_bits(x[j]) > threshold);
  }
  return found;
}

}  // namespace

namespace {

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

// Counting vectorises, collecting does not: only pieces that hold an outlier are walked, in blocks that hold one. The
// constant lengths let a count be a few whole registers.
FIXTUNE_MULTIVERSION std::int32_t find_above(const float* x, std::int32_t n, MagnitudeBits threshold,
                                             const MagnitudeBits* largest_of_stretches, std::int32_t* positions) {
  constexpr std::int32_t piece = 32;
  constexpr std::int32_t block = 4 * piece;
  std::int32_t found = 0;
  std::int32_t begin = 0;
  while (begin + block <= n) {
    if (largest_of_stretches[begin / stretch] <= threshold) {
      begin += stretch;
      continue;
    }
    if (count_above(x + begin, block, threshold) != 0)
      for (std::int32_t s = begin; s < begin + block; s += piece)
        if (count_above(x + s, piece, threshold) != 0)
          found = collect_above(x, s, s + piece, threshold, positions, found);
    begin += block;
  }
  return collect_above(x, begin, n, threshold, positions, found);
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

// A square of a float is exact in double, so that a fused addition gives the same bits as one that is not.
FIXTUNE_MULTIVERSION double sum_of_squares(const float* x, Index n) {
  constexpr Index lanes = 32;
  double sums[lanes] = {};
  Index j = 0;
  for (; j + lanes <= n; j += lanes)
    for (Index l = 0; l < lanes; ++l) sums[l] += static_cast<double>(x[j + l]) * static_cast<double>(x[j + l]);
  for (; j < n; ++j) sums[0] += static_cast<double>(x[j]) * static_cast<double>(x[j]);
  double sum = 0.0;
  for (Index l = 0; l < lanes; ++l) sum += sums[l];
  return sum;
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

FIXTUNE_MULTIVERSION void quantize_stochastic_at(const float* __restrict x, const std::int32_t* __restrict offsets,
                                                 Index n, Scale scale, Randomness random,
                                                 std::int16_t* __restrict codes) {
  for (Index j = 0; j < n; ++j) {
    const float u = rounding::uniform(random.low, random.high, random.first + static_cast<std::uint32_t>(offsets[j]));
    codes[j] = static_cast<std::int16_t>(rounding::stochastic(scaled(x[j], scale), u));
  }
}

}  // namespace fixtune::row_kernels
