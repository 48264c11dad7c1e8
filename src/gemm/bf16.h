#pragma once

#include <cstdint>

namespace fixtune::detail {

/// BF16 of x, nearest even; a NaN stays a (quiet) NaN, infinities stay.
inline std::uint16_t bf16_bits(float x) {
  const auto bits = __builtin_bit_cast(std::uint32_t, x);
  const std::uint32_t rounded = bits + 0x7fffU + ((bits >> 16) & 1U);
  const std::uint32_t quiet = bits | 0x400000U;
  const bool nan = (bits & 0x7fffffffU) > 0x7f800000U;
  return static_cast<std::uint16_t>((nan ? quiet : rounded) >> 16);
}
inline float bf16_value(std::uint16_t bits) {
  return __builtin_bit_cast(float, static_cast<std::uint32_t>(bits) << 16);
}

void convert_to_bf16(const float* in, std::uint16_t* out, std::int64_t count);
/// In FP32, with BF16's values.
void round_values_to_bf16(const float* in, float* out, std::int64_t count);

}  // namespace fixtune::detail
