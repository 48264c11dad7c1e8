#pragma once

#include <cstdint>

#include "fixtune/core/aligned_buffer.h"
#include "quant/fetch.h"

/// Plain loops over one row, compiled once per instruction set; every copy computes the same bits.
namespace fixtune::row_kernels {

/// How one row becomes codes: `q = clamp(round(x * inverse), -limit, limit)`.
struct Scale {
  float inverse = 1.0F;
  float limit = 127.0F;
};

/// Where a row begins in its random stream: element j uses the number at `first + j`, which must not wrap.
struct Randomness {
  std::uint32_t low = 0;   ///< RandomStream::low()
  std::uint32_t high = 0;  ///< RandomStream::high() with the upper half of the element number mixed in
  std::uint32_t first = 0;
};

/// Bit pattern of a magnitude: ordered as the magnitudes are, NaN above infinity above every finite value.
using MagnitudeBits = std::int32_t;
inline constexpr MagnitudeBits infinity_bits = 0x7f800000;

/// Largest magnitude of n values, 0 when n is 0. As many values at `next`, where not null, are asked for on the way
/// (fetch.h).
MagnitudeBits max_magnitude_bits(const float* x, Index n, const float* next = nullptr);

inline constexpr Index stretches_of(Index n) { return n / stretch + 1; }

/// Largest magnitude of n values, and the largest that does not exceed the threshold; 0 where there is none.
struct Magnitudes {
  MagnitudeBits all = 0;
  MagnitudeBits inliers = 0;
};
/// `largest_of_stretches` receives stretches_of(n) values. Half of `next`, where not null, is asked for: the other half
/// while the row is encoded.
Magnitudes max_magnitudes(const float* x, Index n, MagnitudeBits threshold, MagnitudeBits* largest_of_stretches,
                          const float* next = nullptr);

/// Writes the positions whose magnitude exceeds the threshold; returns their number (at most n).
std::int32_t find_above(const float* x, std::int32_t n, MagnitudeBits threshold,
                        const MagnitudeBits* largest_of_stretches, std::int32_t* positions);

/// Eq. 3: `x = remainder + 2 gamma digit`, the remainder in [-gamma, gamma); exact up to one rounding of the remainder
/// while |digit| < 2^27. A NaN or an infinity has digit 0 and stays as it is.
void split_values(const float* x, std::int32_t n, float gamma, std::int32_t* digits, float* remainders);

/// Sum of n squares, in floats and in an order that depends on n alone; infinite from magnitudes of 1e19 on.
double sum_of_squares(const float* x, Index n);

/// Sum of n codes that are there already.
std::int32_t sum_of_codes(const std::int8_t* codes, Index n);

/// Codes of n values; returns their sum, which wraps. Of `next`, where not null, what max_magnitudes has left is asked for.
///@{
std::int32_t quantize_nearest(const float* x, Index n, Scale scale, std::int8_t* codes, const float* next = nullptr);
std::int32_t quantize_nearest(const float* x, Index n, Scale scale, std::int16_t* codes, const float* next = nullptr);
std::int32_t quantize_stochastic(const float* x, Index n, Scale scale, Randomness random, std::int8_t* codes);
std::int32_t quantize_stochastic(const float* x, Index n, Scale scale, Randomness random, std::int16_t* codes);
std::int32_t quantize_dithered(const float* x, Index n, Scale scale, std::uint32_t place, std::int8_t* codes);
std::int32_t quantize_dithered(const float* x, Index n, Scale scale, std::uint32_t place, std::int16_t* codes);
///@}
/// The same for scattered elements: x[j] uses the number at `first + offsets[j]`, or that many places on.
///@{
void quantize_stochastic_at(const float* x, const std::int32_t* offsets, Index n, Scale scale, Randomness random,
                            std::int16_t* codes);
void quantize_dithered_at(const float* x, const std::int32_t* offsets, Index n, Scale scale, std::uint32_t place,
                          std::int16_t* codes);
///@}

}  // namespace fixtune::row_kernels
