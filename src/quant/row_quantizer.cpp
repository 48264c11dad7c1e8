#include "quant/row_quantizer.h"

#include <algorithm>
#include <cmath>

namespace fixtune {
namespace {

using row_kernels::Randomness;
using row_kernels::Scale;

Scale scale_of(float step, const Format& format) {
  return {1.0F / step, static_cast<float>(format.max_code())};
}

Randomness randomness_at(const RandomStream& random, std::uint64_t element) {
  const auto upper = static_cast<std::uint32_t>(element >> 32);
  return {random.low(), random.high() ^ (upper * 0x9e3779b9U), static_cast<std::uint32_t>(element)};
}

// The kernels count elements in 32 bits, so a row that crosses a multiple of 2^32 is done in two parts.
template <typename Code>
void encode_stochastic(const float* x, Index n, Scale scale, const RandomStream& random, std::uint64_t element,
                       Code* codes) {
  while (n > 0) {
    const auto before_wrap = static_cast<Index>((std::uint64_t{1} << 32) - (element & 0xffffffffU));
    const Index part = std::min(n, before_wrap);
    row_kernels::quantize_stochastic(x, part, scale, randomness_at(random, element), codes);
    x += part;
    codes += part;
    n -= part;
    element += static_cast<std::uint64_t>(part);
  }
}

template <typename Code>
void encode(const float* x, Index n, float step, const Format& format, const RandomStream& random,
            std::uint64_t element, Code* codes) {
  if (format.rounding == Rounding::Nearest)
    row_kernels::quantize_nearest(x, n, scale_of(step, format), codes);
  else
    encode_stochastic(x, n, scale_of(step, format), random, element, codes);
}

}  // namespace

Index row_grain(Index cols) {
  constexpr Index elements_worth_a_thread = 16384;
  return std::max<Index>(1, elements_worth_a_thread / std::max<Index>(1, cols));
}

void check_format(const Format& format, std::string_view name) {
  if (format.bits < 2 || format.bits > 16) fail("{}: {} bits; a code has 2 to 16", name, format.bits);
}

void check_finite(ConstMatrixMap x, const row_kernels::MagnitudeBits* row_largest, std::string_view name) {
  for (Index r = 0; r < x.rows(); ++r) {
    if (row_largest[r] < row_kernels::infinity_bits) continue;
    for (Index c = 0; c < x.cols(); ++c)
      if (!std::isfinite(x(r, c))) fail("{}: the value at row {}, column {} is {}", name, r, c, x(r, c));
  }
}

FixedPointTensor allocate_codes(Index rows, Index cols, const Format& format) {
  FixedPointTensor q;
  q.rows = rows;
  q.cols = cols;
  q.format = format;
  if (format.bits <= 8)
    q.codes8 = AlignedBuffer<std::int8_t>(rows * cols);
  else
    q.codes16 = AlignedBuffer<std::int16_t>(rows * cols);
  q.steps.assign(format.block == Block::Row ? static_cast<std::size_t>(rows) : 1, 1.0F);
  return q;
}

void encode_row(const float* x, Index row, const RandomStream& random, FixedPointTensor& q) {
  const Index first = row * q.cols;
  if (q.format.bits <= 8)
    encode(x, q.cols, q.step(row), q.format, random, static_cast<std::uint64_t>(first), q.codes8.data() + first);
  else
    encode(x, q.cols, q.step(row), q.format, random, static_cast<std::uint64_t>(first), q.codes16.data() + first);
}

std::int32_t encode_value(float x, float step, const Format& format, const RandomStream& random,
                          std::uint64_t element) {
  std::int16_t code = 0;
  encode(&x, 1, step, format, random, element, &code);
  return code;
}

}  // namespace fixtune
