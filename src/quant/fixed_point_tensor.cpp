#include "fixtune/quant/fixed_point_tensor.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "fixtune/core/parallel.h"
#include "quant/fetch.h"
#include "quant/row_quantizer.h"

namespace fixtune {
namespace {

constexpr float smallest_normal = std::numeric_limits<float>::min();

// From the exponent field; a subnormal gives -127, which the floor of the step absorbs.
int floor_log2(float a) { return static_cast<int>(std::bit_cast<std::uint32_t>(a) >> 23) - 127; }

void quantize_by_row(ConstMatrixMap x, const RandomStream& random, row_kernels::MagnitudeBits* largest,
                     FixedPointTensor& q) {
  parallel_for(x.rows(), row_grain(x.cols()), [&](Index begin, Index end) {
    for (Index r = begin; r < end; ++r) {
      const float* row = x.data() + r * x.outerStride();
      const Index coming = r + row_kernels::rows_ahead(x.cols());
      const float* next = coming < end ? x.data() + coming * x.outerStride() : nullptr;
      largest[r] = row_kernels::max_magnitude_bits(row, x.cols(), next);
      // A row that is not finite gets any codes: the check after the loop throws.
      q.steps[static_cast<std::size_t>(r)] =
          step_for(std::bit_cast<float>(largest[r]), q.format.bits, q.format.step);
      encode_row(row, r, random, q);
    }
  });
}

void quantize_as_one(ConstMatrixMap x, const RandomStream& random, float largest, FixedPointTensor& q) {
  q.steps[0] = step_for(largest, q.format.bits, q.format.step);
  parallel_for(x.rows(), row_grain(x.cols()), [&](Index begin, Index end) {
    for (Index r = begin; r < end; ++r) encode_row(x.data() + r * x.outerStride(), r, random, q);
  });
}

WorkspaceVector<row_kernels::MagnitudeBits> largest_by_row(ConstMatrixMap x) {
  WorkspaceVector<row_kernels::MagnitudeBits> largest(static_cast<std::size_t>(x.rows()));
  parallel_for(x.rows(), row_grain(x.cols()), [&](Index begin, Index end) {
    for (Index r = begin; r < end; ++r)
      largest[static_cast<std::size_t>(r)] =
          row_kernels::max_magnitude_bits(x.data() + r * x.outerStride(), x.cols());
  });
  return largest;
}

}  // namespace

float step_for(float a, int bits, StepKind kind) {
  if (a == 0.0F) return 1.0F;
  if (kind == StepKind::FullRange)
    return std::max(smallest_normal, a / static_cast<float>((1 << (bits - 1)) - 1));
  return std::max(smallest_normal, std::ldexp(1.0F, floor_log2(a) - (bits - 2)));
}

FixedPointTensor quantize(ConstMatrixMap x, const Format& format, const RandomStream& random, std::string_view name) {
  check_format(format, name);
  FixedPointTensor q = allocate_codes(x.rows(), x.cols(), format);
  if (format.block == Block::Row) {
    WorkspaceVector<row_kernels::MagnitudeBits> largest(static_cast<std::size_t>(x.rows()));
    quantize_by_row(x, random, largest.data(), q);
    check_finite(x, largest.data(), name);
    return q;
  }
  const auto largest = largest_by_row(x);
  check_finite(x, largest.data(), name);
  const auto top = largest.empty() ? 0 : *std::max_element(largest.begin(), largest.end());
  quantize_as_one(x, random, std::bit_cast<float>(top), q);
  return q;
}

FixedPointTensor quantize(ConstMatrixMap x, const Format& format, float largest, const RandomStream& random,
                          std::string_view name) {
  check_format(format, name);
  if (format.block != Block::Tensor) fail("{}: one known magnitude gives no step per row", name);
  FixedPointTensor q = allocate_codes(x.rows(), x.cols(), format);
  quantize_as_one(x, random, largest, q);
  return q;
}

Tensor dequantize(const FixedPointTensor& q) {
  Tensor x(q.rows, q.cols);
  parallel_for(q.rows, row_grain(q.cols), [&](Index begin, Index end) {
    for (Index r = begin; r < end; ++r)
      for (Index c = 0; c < q.cols; ++c) x(r, c) = q.step(r) * static_cast<float>(q.code(r, c));
  });
  return x;
}

float max_magnitude(const float* x, Index n) {
  const auto bits = row_kernels::max_magnitude_bits(x, n);
  return bits < row_kernels::infinity_bits ? std::bit_cast<float>(bits) : std::numeric_limits<float>::quiet_NaN();
}

}  // namespace fixtune
