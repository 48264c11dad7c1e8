#pragma once

// The layer norm part of a lane kernel file; see lane_kernels.h.

#include "lane_kernels.h"
#include "lanes.h"

namespace fixtune::detail::FIXTUNE_LANES_NAMESPACE {

// RandomStream::bits of consecutive elements from `first`.
FIXTUNE_ALWAYS_INLINE Bits random_bits(const DropoutMask& mask, std::uint64_t first) {
  const auto start = static_cast<std::uint32_t>(first);
  const auto upper = static_cast<std::uint32_t>(first >> 32U);
  const Bits lower = splat_bits(start) + lane_numbers();
  // Where the lower half overflows the upper one goes up.
  const Bits carry = lower < splat_bits(start) ? splat_bits(1U) : Bits{};
  const Bits key = splat_bits(mask.high) ^ ((splat_bits(upper) + carry) * 0x9e3779b9U);
  return mix(mix(lower ^ mask.low) + key);
}

FIXTUNE_ALWAYS_INLINE Vector dropped(const DropoutMask& mask, std::uint64_t first, Vector x) {
  return kept_where(random_bits(mask, first), mask.threshold, x * mask.factor);
}

void residual_norm_forward(const ResidualNorm& norm, const ResidualNormForward& f, std::int64_t first,
                           std::int64_t rows) {
  const std::int64_t cols = norm.cols;
  const float inverse_count = 1.0F / static_cast<float>(cols);
  const bool drops = norm.mask.threshold != 0;
  for (std::int64_t r = first; r < first + rows; ++r) {
    const std::int64_t at = r * cols;
    float* y = f.y + at;
    LaneSum sum;
    for_vectors(cols, FIXTUNE_BODY {
      Vector h = load_part(f.h + at + i, count);
      if (drops) h = dropped(norm.mask, static_cast<std::uint64_t>(at + i), h);
      const Vector t = load_part(f.x + at + i, count) + h;
      sum.part[v] += t;
      store_part(y + i, t, count);
    });
    const float mean = sum.total() * inverse_count;
    LaneSum squares;
    for_vectors(cols, FIXTUNE_BODY {
      const Vector away = load_part(y + i, count) - mean;
      const Vector square = away * away;
      if (count == width) {
        squares.part[v] += square;
      } else {  // lanes past the end hold -mean
        float lane[width] = {};
        store_part(lane, square, count);
        squares.part[v] += load(lane);
      }
    });
    const float inverse = 1.0F / __builtin_sqrtf(squares.total() * inverse_count + norm.epsilon);
    if (f.inverse_deviation != nullptr) f.inverse_deviation[r] = inverse;
    for_vectors(cols, FIXTUNE_BODY {
      const Vector normalised = (load_part(y + i, count) - mean) * inverse;
      if (f.normalised != nullptr) store_part(f.normalised + at + i, normalised, count);
      if (f.normalised_bf16 != nullptr) store_bf16_part(f.normalised_bf16 + at + i, normalised, count);
      store_part(y + i, normalised * load_part(norm.gamma + i, count) + load_part(norm.beta + i, count), count);
    });
  }
}

template <bool FromBf16>
FIXTUNE_ALWAYS_INLINE void norm_backward_rows(const ResidualNorm& norm, const ResidualNormBackward& b,
                                              std::int64_t first, std::int64_t rows) {
  const std::int64_t cols = norm.cols;
  const float inverse_count = 1.0F / static_cast<float>(cols);
  const bool drops = norm.mask.threshold != 0;
  for (std::int64_t r = first; r < first + rows; ++r) {
    const std::int64_t at = r * cols;
    const float* dy = b.dy + at;
    const auto normalised = [&](std::int64_t i, std::int64_t count) __attribute__((always_inline)) {
      if constexpr (FromBf16)
        return load_bf16_part(b.normalised_bf16 + at + i, count);
      else
        return load_part(b.normalised + at + i, count);
    };
    LaneSum sum_g;
    LaneSum sum_gx;
    for_vectors(cols, FIXTUNE_BODY {
      const Vector d = load_part(dy + i, count);
      const Vector x = normalised(i, count);
      const Vector g = d * load_part(norm.gamma + i, count);
      sum_g.part[v] += g;
      sum_gx.part[v] += g * x;
      if (b.dbeta != nullptr) store_part(b.dbeta + i, load_part(b.dbeta + i, count) + d, count);
      if (b.dgamma != nullptr) store_part(b.dgamma + i, load_part(b.dgamma + i, count) + d * x, count);
    });
    if (b.dx == nullptr && b.dh == nullptr) continue;
    const float mean_g = sum_g.total() * inverse_count;
    const float mean_gx = sum_gx.total() * inverse_count;
    const float inverse = b.inverse_deviation[r];
    for_vectors(cols, FIXTUNE_BODY {
      const Vector g = load_part(dy + i, count) * load_part(norm.gamma + i, count);
      const Vector dx = (g - mean_g - normalised(i, count) * mean_gx) * inverse;
      if (b.dx != nullptr) store_part(b.dx + at + i, dx, count);
      if (b.dh != nullptr)
        store_part(b.dh + at + i, drops ? dropped(norm.mask, static_cast<std::uint64_t>(at + i), dx) : dx, count);
    });
  }
}

void residual_norm_backward(const ResidualNorm& norm, const ResidualNormBackward& b, std::int64_t first,
                            std::int64_t rows) {
  if (b.normalised_bf16 != nullptr)
    norm_backward_rows<true>(norm, b, first, rows);
  else
    norm_backward_rows<false>(norm, b, first, rows);
}

}  // namespace fixtune::detail::FIXTUNE_LANES_NAMESPACE
