#pragma once

// Softmax with dropout, and its gradient, over rows of attention scores; see lane_kernels.h.
//
// A row's maximum and sums end in a chain of dependent operations. So several rows go together through each pass, and
// the next row's vectors run meanwhile.

#include "lane_kernels.h"
#include "lanes.h"

namespace fixtune::detail::FIXTUNE_LANES_NAMESPACE {

constexpr std::int64_t rows_together = 8;

// Keys past the sentence's end, up to whole vectors, get no weight.
FIXTUNE_ALWAYS_INLINE void hide_padding(float* scores, std::int64_t rows, std::int64_t length, std::int64_t cols) {
  if (length < cols)
    for (std::int64_t r = 0; r < rows; ++r)
      for (std::int64_t i = length; i < cols; ++i) scores[r * cols + i] = -__builtin_inff();
}

FIXTUNE_ALWAYS_INLINE float largest_of(const float* x, std::int64_t cols) {
  Vector largest[sum_vectors];
  for (int v = 0; v < sum_vectors; ++v) largest[v] = load(x + v * width);
  for_vectors(cols, FIXTUNE_BODY {
    const Vector value = load(x + i);
    largest[v] = value > largest[v] ? value : largest[v];
  });
  return folded(largest, [](Quad a, Quad b) __attribute__((always_inline)) { return b > a ? b : a; });
}

// exp(factor * (score - maximum)), before it is divided by the row's sum.
struct RowWeights {
  float factor;  // to the base 2
  float maximum;

  FIXTUNE_ALWAYS_INLINE RowWeights(const AttentionShape& shape, float row_maximum)
      : factor(shape.factor * 1.44269504F), maximum(row_maximum) {}
  // Below 2^-115 a weight is lost in any sum; as an exact 0 it makes no denormals, which are slow.
  FIXTUNE_ALWAYS_INLINE Vector operator()(Vector score) const {
    const Vector exponent = (score - maximum) * factor;
    return exponent < splat(-115.0F) ? Vector{} : power_of_two(exponent);
  }
};

// Keeps a weight times `scale`, or drops it.
struct RowDropout {
  Bits key;
  std::uint32_t threshold;
  const std::uint32_t* mixed_keys;
  float scale;

  FIXTUNE_ALWAYS_INLINE RowDropout(const AttentionShape& shape, std::uint64_t row, float inverse_sum)
      : key(splat_bits(shape.mask.high ^ (static_cast<std::uint32_t>(row) * 0x9e3779b9U))),
        threshold(shape.mask.threshold),
        mixed_keys(shape.mixed_keys),
        scale(inverse_sum * shape.mask.factor) {}
  FIXTUNE_ALWAYS_INLINE Vector operator()(Vector x, std::int64_t i) const {
    return kept_where(mix(load_bits(mixed_keys + i) + key), threshold, x * scale);
  }
};

/// Scores p[rows, cols] of at most `rows_together` rows to dropped weights, in place; fills `kept` from row `first` on
/// where it is not null.
FIXTUNE_ALWAYS_INLINE void softmax_rows(const AttentionShape& shape, const AttentionHead& head,
                                        const AttentionRows& kept, std::int64_t first, std::int64_t rows, float* p,
                                        std::int64_t cols) {
  float maximum[rows_together], inverse_sum[rows_together];
  hide_padding(p, rows, head.length, cols);
  for (std::int64_t r = 0; r < rows; ++r) maximum[r] = largest_of(p + r * cols, cols);
  for (std::int64_t r = 0; r < rows; ++r) {
    float* row = p + r * cols;
    const RowWeights weights(shape, maximum[r]);
    LaneSum sum;
    for_vectors(cols, FIXTUNE_BODY {
      const Vector weight = weights(load(row + i));
      sum.part[v] += weight;
      store(row + i, weight);
    });
    inverse_sum[r] = 1.0F / sum.total();
  }
  for (std::int64_t r = 0; r < rows; ++r) {
    float* row = p + r * cols;
    if (kept.maximum != nullptr) {
      kept.maximum[first + r] = maximum[r];
      kept.inverse_sum[first + r] = inverse_sum[r];
    }
    const RowDropout dropout(shape, head.first_row + static_cast<std::uint64_t>(first + r), inverse_sum[r]);
    if (dropout.threshold == 0)
      for_vectors(cols, FIXTUNE_BODY { store(row + i, load(row + i) * dropout.scale); });
    else
      for_vectors(cols, FIXTUNE_BODY { store(row + i, dropout(load(row + i), i)); });
  }
}

/// Scores p[rows, cols] of at most `rows_together` rows to weights again, and to dropped weights. Where `d` holds the
/// gradient of these, it becomes that of the scores, dS = factor * P * (dP - sum(P * dP)), where P * dP = dropped(P) *
/// d(dropped P).
FIXTUNE_ALWAYS_INLINE void softmax_gradient_rows(const AttentionShape& shape, const AttentionHead& head,
                                                 const AttentionRows& kept, std::int64_t first, std::int64_t rows,
                                                 float* p, float* dropped_p, float* d, std::int64_t cols) {
  float dot[rows_together];
  hide_padding(p, rows, head.length, cols);
  for (std::int64_t r = 0; r < rows; ++r) {
    const RowWeights weights(shape, kept.maximum[first + r]);
    const float inverse_sum = kept.inverse_sum[first + r];
    const RowDropout dropout(shape, head.first_row + static_cast<std::uint64_t>(first + r), inverse_sum);
    float *row = p + r * cols, *dropped_row = dropped_p + r * cols;
    const auto weigh = [&](std::int64_t i) __attribute__((always_inline)) {
      const Vector weight = weights(load(row + i));
      const Vector dropped = dropout.threshold == 0 ? weight * dropout.scale : dropout(weight, i);
      store(row + i, weight * inverse_sum);
      store(dropped_row + i, dropped);
      return dropped;
    };
    if (d == nullptr) {
      for_vectors(cols, FIXTUNE_BODY { weigh(i); });
      continue;
    }
    float* d_row = d + r * cols;
    LaneSum sum;
    for_vectors(cols, FIXTUNE_BODY {
      const Vector product = weigh(i) * load(d_row + i);
      sum.part[v] += product;
      store(d_row + i, product);
    });
    dot[r] = sum.total();
  }
  if (d == nullptr) return;
  for (std::int64_t r = 0; r < rows; ++r) {
    float *row = p + r * cols, *d_row = d + r * cols;
    const Vector minus_dot = splat(-dot[r]);
    for_vectors(cols, FIXTUNE_BODY {
      store(d_row + i, multiply_add(load(row + i), minus_dot, load(d_row + i)) * shape.factor);
    });
  }
}

}  // namespace fixtune::detail::FIXTUNE_LANES_NAMESPACE
