#pragma once

#include <cstdint>

namespace fixtune {

/// How the step of a block follows from its largest magnitude `a`, for `b` bits.
enum class StepKind : std::uint8_t {
  PowerOfTwo,  ///< s = 2^(floor(log2 a) - (b-2)); the paper, section 3.1
  FullRange,   ///< s = a / (2^(b-1)-1); no code wasted
};

/// Which values share one step.
enum class Block : std::uint8_t {
  Tensor,  ///< the whole tensor (the paper)
  Row,     ///< a token of X, an output feature of W
};

/// How a value becomes one of the two codes around it.
enum class Rounding : std::uint8_t {
  Nearest,     ///< rint, ties to even
  Stochastic,  ///< floor(y) + (u < y - floor(y)); unbiased (the paper, section 4.1)
  Dithered,    ///< rint(y + RandomStream::dither); unbiased, and sums over a row err less than by independent numbers
};

/// Dynamic fixed-point format: `x ~ s*q` with `|q| <= 2^(bits-1)-1`.
struct Format {
  int bits = 8;  ///< 2..16
  StepKind step = StepKind::FullRange;  ///< how it follows from the largest magnitude
  Block block = Block::Row;  ///< which values share a step
  Rounding rounding = Rounding::Nearest;  ///< how values become codes

  constexpr std::int32_t max_code() const { return (1 << (bits - 1)) - 1; }  ///< The largest magnitude of a code.
  friend bool operator==(const Format&, const Format&) = default;  ///< All fields.
};

}  // namespace fixtune
