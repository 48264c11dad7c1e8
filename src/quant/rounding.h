#pragma once

#include <cstdint>

#include "fixtune/core/multiversion.h"
#include "fixtune/core/random.h"

// Rounding of one value, for kernel files: inlined into each copy, no branch, no library call.
namespace fixtune::rounding {

/// Bits of a magnitude: ordered as the magnitudes are, NaN above infinity above every finite value.
FIXTUNE_ALWAYS_INLINE std::int32_t magnitude_bits(float x) { return __builtin_bit_cast(std::int32_t, x) & 0x7fffffff; }

// Clamping before rounding gives the code that clamping after it gives, since the limit is an integer, and keeps
// the conversion to an integer in range. The order of the comparisons sends a NaN to the limit.
FIXTUNE_ALWAYS_INLINE float clamped(float y, float limit) {
  const float below = y < limit ? y : limit;
  return below > -limit ? below : -limit;
}

// Adding 1.5 * 2^23 leaves no fraction bits, so the addition itself rounds to nearest even (|y| < 2^22), and the bits
// of the sum are those of 1.5 * 2^23 plus the integer.
FIXTUNE_ALWAYS_INLINE std::int32_t nearest(float y) {
  constexpr float no_fraction = 12582912.0F;
  return __builtin_bit_cast(std::int32_t, y + no_fraction) - __builtin_bit_cast(std::int32_t, no_fraction);
}

// floor() as a truncation: vectorises without SSE4.1.
FIXTUNE_ALWAYS_INLINE std::int32_t stochastic(float y, float uniform) {
  const auto truncated = static_cast<std::int32_t>(y);
  const std::int32_t floor = truncated - static_cast<std::int32_t>(static_cast<float>(truncated) > y);
  return floor + static_cast<std::int32_t>(uniform < y - static_cast<float>(floor));
}

inline constexpr std::uint32_t golden_section = RandomStream::golden_section;

// RandomStream::dither at that place of its sequence; the sum may pass the limit, so it is clamped after it is added.
FIXTUNE_ALWAYS_INLINE std::int32_t dithered(float y, std::uint32_t place, float limit) {
  return nearest(clamped(y + static_cast<float>(static_cast<std::int32_t>(place)) * 0x1p-32F, limit));
}

// RandomStream::uniform of one element; a test holds the two together.
FIXTUNE_ALWAYS_INLINE float uniform(std::uint32_t low, std::uint32_t high, std::uint32_t element) {
  const std::uint32_t bits = mix32(mix32(element ^ low) + high);
  return static_cast<float>(static_cast<std::int32_t>(bits >> 8)) * 0x1p-24F;
}

}  // namespace fixtune::rounding
