#include "quant/row_kernels.h"

#include "fixtune/core/multiversion.h"
#include "quant/rounding.h"

// No Eigen, no standard templates: see core/multiversion.h. The helpers are forced inline so that each clone
// compiles its own copy of them.
namespace fixtune::row_kernels {
namespace {

using rounding::magnitude_bits;

FIXTUNE_ALWAYS_INLINE float scaled(float x, Scale scale) { return rounding::clamped(x * scale.inverse, scale.limit); }

template <typename Code>
FIXTUNE_ALWAYS_INLINE void nearest_row(const float* __restrict x, Index n, Scale scale, Code* __restrict codes) {
  for (Index j = 0; j < n; ++j) codes[j] = static_cast<Code>(rounding::nearest(scaled(x[j], scale)));
}

template <typename Code>
FIXTUNE_ALWAYS_INLINE void stochastic_row(const float* __restrict x, Index n, Scale scale, Randomness random,
                                   Code* __restrict codes) {
  for (Index j = 0; j < n; ++j) {
    const float u = rounding::uniform(random.low, random.high, random.first + static_cast<std::uint32_t>(j));
    codes[j] = static_cast<Code>(rounding::stochastic(scaled(x[j], scale), u));
  }
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

FIXTUNE_MULTIVERSION MagnitudeBits max_magnitude_bits(const float* x, Index n) {
  MagnitudeBits largest = 0;
  for (Index j = 0; j < n; ++j) {
    const MagnitudeBits bits = magnitude_bits(x[j]);
    largest = bits > largest ? bits : largest;
  }
  return largest;
}

FIXTUNE_MULTIVERSION Magnitudes max_magnitudes(const float* x, Index n, MagnitudeBits threshold) {
  MagnitudeBits all = 0;
  MagnitudeBits inliers = 0;
  for (Index j = 0; j < n; ++j) {
    const MagnitudeBits bits = magnitude_bits(x[j]);
    const MagnitudeBits inlier = bits > threshold ? 0 : bits;
    all = bits > all ? bits : all;
    inliers = inlier > inliers ? inlier : inliers;
  }
  return {all, inliers};
}

// Counting vectorises, collecting does not: only stretches that hold an outlier are walked. The constant length of
// all but the last lets the count be a few whole registers.
FIXTUNE_MULTIVERSION std::int32_t find_above(const float* x, std::int32_t n, MagnitudeBits threshold,
                                             std::int32_t* positions) {
  constexpr std::int32_t stretch = 32;
  std::int32_t found = 0;
  std::int32_t begin = 0;
  for (; begin + stretch <= n; begin += stretch)
    if (count_above(x + begin, stretch, threshold) != 0)
      found = collect_above(x, begin, begin + stretch, threshold, positions, found);
  return collect_above(x, begin, n, threshold, positions, found);
}

FIXTUNE_MULTIVERSION void quantize_nearest(const float* x, Index n, Scale scale, std::int8_t* codes) {
  nearest_row(x, n, scale, codes);
}

FIXTUNE_MULTIVERSION void quantize_nearest(const float* x, Index n, Scale scale, std::int16_t* codes) {
  nearest_row(x, n, scale, codes);
}

FIXTUNE_MULTIVERSION void quantize_stochastic(const float* x, Index n, Scale scale, Randomness random,
                                              std::int8_t* codes) {
  stochastic_row(x, n, scale, random, codes);
}

FIXTUNE_MULTIVERSION void quantize_stochastic(const float* x, Index n, Scale scale, Randomness random,
                                              std::int16_t* codes) {
  stochastic_row(x, n, scale, random, codes);
}

}  // namespace fixtune::row_kernels
