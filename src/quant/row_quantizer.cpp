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
std::int32_t encode_stochastic(const float* x, Index n, Scale scale, const RandomStream& random, std::uint64_t element,
                               Code* codes) {
  std::uint32_t sum = 0;
  while (n > 0) {
    const auto before_wrap = static_cast<Index>((std::uint64_t{1} << 32) - (element & 0xffffffffU));
    const Index part = std::min(n, before_wrap);
    sum += static_cast<std::uint32_t>(
        row_kernels::quantize_stochastic(x, part, scale, randomness_at(random, element), codes));
    x += part;
    codes += part;
    n -= part;
    element += static_cast<std::uint64_t>(part);
  }
  return static_cast<std::int32_t>(sum);
}

template <typename Code>
std::int32_t encode(const float* x, Index n, float step, const Format& format, const RandomStream& random,
                    std::uint64_t element, Code* codes, const float* next) {
  if (format.rounding == Rounding::Nearest)
    return row_kernels::quantize_nearest(x, n, scale_of(step, format), codes, next);
  if (format.rounding == Rounding::Dithered)
    return row_kernels::quantize_dithered(x, n, scale_of(step, format), random.bits(element), codes);
  return encode_stochastic(x, n, scale_of(step, format), random, element, codes);
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
    check_finite(x.data() + r * x.outerStride(), x.cols(), r, name);
  }
}

void check_finite(const float* x, Index cols, Index row, std::string_view name) {
  for (Index c = 0; c < cols; ++c)
    if (!std::isfinite(x[c])) fail("{}: the value at row {}, column {} is {}", name, row, c, x[c]);
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

void encode_row(const float* x, Index row, const RandomStream& random, FixedPointTensor& q, const float* next) {
  const Index at = row * q.cols;
  const auto element = static_cast<std::uint64_t>(at);
  if (q.format.bits > 8) {
    encode(x, q.cols, q.step(row), q.format, random, element, q.codes16.data() + at, next);
    return;
  }
  const std::int32_t sum = encode(x, q.cols, q.step(row), q.format, random, element, q.codes8.data() + at, next);
  if (!q.row_sums.empty()) q.row_sums[static_cast<std::size_t>(row)] = sum;
}

void encode_elements(std::span<const float> x, const std::int32_t* columns, float step, const Format& format,
                     const RandomStream& random, std::uint64_t first_of_row, std::int16_t* codes) {
  if (x.empty()) return;
  const Scale scale = scale_of(step, format);
  const auto count = static_cast<Index>(x.size());
  if (format.rounding == Rounding::Nearest) {
    row_kernels::quantize_nearest(x.data(), count, scale, codes);
    return;
  }
  if (format.rounding == Rounding::Dithered) {
    row_kernels::quantize_dithered_at(x.data(), columns, count, scale, random.bits(first_of_row), codes);
    return;
  }
  const std::uint64_t last = first_of_row + static_cast<std::uint64_t>(columns[count - 1]);
  if (first_of_row >> 32 == last >> 32)
    return row_kernels::quantize_stochastic_at(x.data(), columns, count, scale, randomness_at(random, first_of_row),
                                               codes);
  for (Index i = 0; i < count; ++i)
    encode_stochastic(x.data() + i, 1, scale, random, first_of_row + static_cast<std::uint64_t>(columns[i]), codes + i);
}

}  // namespace fixtune
