#pragma once

// The attention part of a lane kernel file; see lane_kernels.h.
//
// A head's operands are copied to contiguous scratch, padded with zeros to whole vectors: strided rows would fall
// into few sets of the cache. Its queries are then taken in blocks, whose scores stay in the cache from product to
// softmax to product.

#include "lane_kernels.h"
#include "lanes.h"

namespace fixtune::detail::FIXTUNE_LANES_NAMESPACE {

// C[m, n] = sum_k A[m, k] B[k, n], element (m, k) of A at a[m * a_row + k * a_step]; n in whole vectors.
struct Product {
  const float* a;
  std::int64_t a_row, a_step;
  const float* b;
  std::int64_t b_row;
  float* c;
  std::int64_t c_row;
  std::int64_t m, n, k;
};

// Accumulators that fill the registers: rows times vectors.
constexpr int tile_rows = 6;
constexpr int tile_vectors = width == 16 ? 4 : 2;
constexpr std::int64_t block_queries = 8 * tile_rows;

/// What a product's elements are: floats, or whatever else in 32 bits (attention_pairs.h).
struct FloatElements {
  static FIXTUNE_ALWAYS_INLINE Vector repeated(const float* a) { return splat(*a); }
  static FIXTUNE_ALWAYS_INLINE Vector add_product(Vector a, Vector b, Vector sum) { return multiply_add(a, b, sum); }
};

template <typename Elements, int Rows, int Vectors, bool Accumulate>
FIXTUNE_ALWAYS_INLINE void product_tile(const Product& p, std::int64_t row, std::int64_t col) {
  const float* a = p.a + row * p.a_row;
  const float* b = p.b + col;
  float* c = p.c + row * p.c_row + col;
  Vector sum[Rows][Vectors];
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; ++v) sum[r][v] = Accumulate ? load(c + r * p.c_row + v * width) : Vector{};
#pragma GCC unroll 1
  for (std::int64_t k = 0; k < p.k; ++k) {
    Vector row_b[Vectors];
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; ++v) row_b[v] = load(b + k * p.b_row + v * width);
#pragma GCC unroll 8
    for (int r = 0; r < Rows; ++r) {
      const Vector element = Elements::repeated(a + r * p.a_row + k * p.a_step);
#pragma GCC unroll 8
      for (int v = 0; v < Vectors; ++v) sum[r][v] = Elements::add_product(element, row_b[v], sum[r][v]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; ++v) store(c + r * p.c_row + v * width, sum[r][v]);
}

template <typename Elements, int Vectors, bool Accumulate>
void product_columns(const Product& p, std::int64_t col) {
  std::int64_t row = 0;
  for (; row + tile_rows <= p.m; row += tile_rows) product_tile<Elements, tile_rows, Vectors, Accumulate>(p, row, col);
  switch (p.m - row) {
    case 5: return product_tile<Elements, 5, Vectors, Accumulate>(p, row, col);
    case 4: return product_tile<Elements, 4, Vectors, Accumulate>(p, row, col);
    case 3: return product_tile<Elements, 3, Vectors, Accumulate>(p, row, col);
    case 2: return product_tile<Elements, 2, Vectors, Accumulate>(p, row, col);
    case 1: return product_tile<Elements, 1, Vectors, Accumulate>(p, row, col);
    default: return;
  }
}

template <bool Accumulate, typename Elements = FloatElements>
void product(const Product& p) {
  std::int64_t col = 0;
  for (; col + tile_vectors * width <= p.n; col += tile_vectors * width)
    product_columns<Elements, tile_vectors, Accumulate>(p, col);
  switch ((p.n - col) / width) {
    case 3: return product_columns<Elements, tile_vectors == 4 ? 3 : 1, Accumulate>(p, col);
    case 2: return product_columns<Elements, tile_vectors == 4 ? 2 : 1, Accumulate>(p, col);
    case 1: return product_columns<Elements, 1, Accumulate>(p, col);
    default: return;
  }
}

FIXTUNE_ALWAYS_INLINE std::int64_t padded(std::int64_t n) { return (n + sum_lanes - 1) / sum_lanes * sum_lanes; }

// [length, size] of an operand to [padded(length), padded(size)]; `keep` gets it in BF16 without gaps.
FIXTUNE_ALWAYS_INLINE void pack_rows(float* out, const AttentionOperand& from, std::int64_t length,
                                     const AttentionShape& shape, std::uint16_t* keep = nullptr) {
  const std::int64_t cols = padded(shape.size);
  for (std::int64_t r = 0; r < length; ++r, out += cols) {
    for_vectors(shape.size, FIXTUNE_BODY {
      Vector x = from.bf16 != nullptr ? load_bf16_part(from.bf16 + r * shape.size + i, count)
                                      : load_part(from.values + r * shape.stride + i, count);
      if (keep != nullptr) store_bf16_part(keep + r * shape.size + i, x, count);
      if (shape.bf16) x = value_of(rounded_to_bf16(x));
      store(out + i, x);
    });
    const std::int64_t filled = (shape.size + width - 1) / width * width;
    for (std::int64_t c = filled; c < cols; ++c) out[c] = 0.0F;
  }
  for (std::int64_t i = 0; i < (padded(length) - length) * cols; ++i) out[i] = 0.0F;
}

using Quad = float __attribute__((vector_size(16)));

FIXTUNE_ALWAYS_INLINE Quad load_quad(const float* p) { return load_as<Quad>(p); }
FIXTUNE_ALWAYS_INLINE void store_quad(float* p, Quad x) { store_as(p, x); }

// out[cols, rows] = in[rows, cols]^T, both in whole vectors.
void transpose(float* out, const float* in, std::int64_t rows, std::int64_t cols) {
  for (std::int64_t c = 0; c < cols; c += 4)
    for (std::int64_t r = 0; r < rows; r += 4) {
      const float* from = in + r * cols + c;
      float* to = out + c * rows + r;
      const Quad row0 = load_quad(from), row1 = load_quad(from + cols);
      const Quad row2 = load_quad(from + 2 * cols), row3 = load_quad(from + 3 * cols);
      const Quad low01 = __builtin_shufflevector(row0, row1, 0, 4, 1, 5);
      const Quad high01 = __builtin_shufflevector(row0, row1, 2, 6, 3, 7);
      const Quad low23 = __builtin_shufflevector(row2, row3, 0, 4, 1, 5);
      const Quad high23 = __builtin_shufflevector(row2, row3, 2, 6, 3, 7);
      store_quad(to, __builtin_shufflevector(low01, low23, 0, 1, 4, 5));
      store_quad(to + rows, __builtin_shufflevector(low01, low23, 2, 3, 6, 7));
      store_quad(to + 2 * rows, __builtin_shufflevector(high01, high23, 0, 1, 4, 5));
      store_quad(to + 3 * rows, __builtin_shufflevector(high01, high23, 2, 3, 6, 7));
    }
}

FIXTUNE_ALWAYS_INLINE void unpack_rows(float* out, const float* in, std::int64_t rows, const AttentionShape& shape) {
  const std::int64_t cols = padded(shape.size);
  for (std::int64_t r = 0; r < rows; ++r)
    for_vectors(shape.size, FIXTUNE_BODY {
      store_part(out + r * shape.stride + i, load(in + r * cols + i), count);
    });
}

// Keys past the sentence's end, up to whole vectors, get no weight.
FIXTUNE_ALWAYS_INLINE void hide_padding(float* scores, std::int64_t length, std::int64_t cols) {
  for (std::int64_t i = length; i < cols; ++i) scores[i] = -__builtin_inff();
}

FIXTUNE_ALWAYS_INLINE float largest_of(const float* x, std::int64_t cols) {
  Vector largest[sum_vectors];
  for (int v = 0; v < sum_vectors; ++v) largest[v] = load(x + v * width);
  for_vectors(cols, FIXTUNE_BODY {
    const Vector value = load(x + i);
    largest[v] = value > largest[v] ? value : largest[v];
  });
  float lane[sum_lanes];
  for (int v = 0; v < sum_vectors; ++v) store(lane + v * width, largest[v]);
  float result = lane[0];
  for (int l = 1; l < sum_lanes; ++l) result = lane[l] > result ? lane[l] : result;
  return result;
}

// Below e^-80 a weight is lost in any sum; as an exact 0 it makes no denormals, which are slow.
FIXTUNE_ALWAYS_INLINE Vector weight_of(Vector score, float factor, float maximum) {
  const Vector shifted = (score - maximum) * factor;
  return shifted < splat(-80.0F) ? Vector{} : exponential(shifted);
}

struct RowDropout {
  Bits key;
  std::uint32_t threshold;
  float factor;
  const std::uint32_t* mixed_keys;

  FIXTUNE_ALWAYS_INLINE RowDropout(const AttentionShape& shape, std::uint64_t row)
      : key(splat_bits(shape.mask.high ^ (static_cast<std::uint32_t>(row) * 0x9e3779b9U))),
        threshold(shape.mask.threshold),
        factor(shape.mask.factor),
        mixed_keys(shape.mixed_keys) {}
  FIXTUNE_ALWAYS_INLINE Vector operator()(Vector x, std::int64_t i) const {
    return kept_where(mix(load_bits(mixed_keys + i) + key), threshold, x * factor);
  }
};

FIXTUNE_ALWAYS_INLINE void round_row(float* x, std::int64_t cols) {
  for_vectors(cols, FIXTUNE_BODY { store(x + i, value_of(rounded_to_bf16(load(x + i)))); });
}

// Scores to dropped weights, in place.
FIXTUNE_ALWAYS_INLINE void softmax_row(const AttentionShape& shape, const AttentionHead& head,
                                       const AttentionRows& rows, std::int64_t row, float* p, std::int64_t cols) {
  hide_padding(p, head.length, cols);
  const float maximum = largest_of(p, cols);
  LaneSum sum;
  for_vectors(cols, FIXTUNE_BODY {
    const Vector weight = weight_of(load(p + i), shape.factor, maximum);
    sum.part[v] += weight;
    store(p + i, weight);
  });
  const float inverse_sum = 1.0F / sum.total();
  if (rows.maximum != nullptr) {
    rows.maximum[row] = maximum;
    rows.inverse_sum[row] = inverse_sum;
  }
  const RowDropout dropout(shape, head.first_row + static_cast<std::uint64_t>(row));
  if (dropout.threshold == 0)
    for_vectors(cols, FIXTUNE_BODY { store(p + i, load(p + i) * inverse_sum); });
  else
    for_vectors(cols, FIXTUNE_BODY { store(p + i, dropout(load(p + i) * inverse_sum, i)); });
  if (shape.bf16) round_row(p, cols);
}

void attention_forward(const AttentionShape& shape, const AttentionHead& head, const AttentionForward& f,
                       float* scratch) {
  const std::int64_t n = head.length;
  const std::int64_t keys = padded(n);
  const std::int64_t size = padded(shape.size);
  float* q = scratch;
  float* v = q + keys * size;
  float* k_transposed = v + keys * size;
  float* p = k_transposed + keys * size;
  float* y = p + block_queries * keys;
  pack_rows(q, {f.k, nullptr}, n, shape, f.kept_k);  // where K waits to be transposed
  transpose(k_transposed, q, keys, size);
  pack_rows(q, {f.q, nullptr}, n, shape, f.kept_q);
  pack_rows(v, {f.v, nullptr}, n, shape, f.kept_v);
  for (std::int64_t first = 0; first < n; first += block_queries) {
    const std::int64_t queries = n - first < block_queries ? n - first : block_queries;
    product<false>({q + first * size, size, 1, k_transposed, keys, p, keys, queries, keys, shape.size});
    for (std::int64_t r = 0; r < queries; ++r) softmax_row(shape, head, f.rows, first + r, p + r * keys, keys);
    product<false>({p, keys, 1, v, size, y, size, queries, size, n});
    unpack_rows(f.y + first * shape.stride, y, queries, shape);
  }
}

// Scores to weights again, and to dropped weights.
FIXTUNE_ALWAYS_INLINE void weights_row(const AttentionShape& shape, const AttentionHead& head,
                                       const AttentionRows& rows, std::int64_t row, float* p, float* dropped_p,
                                       std::int64_t cols) {
  hide_padding(p, head.length, cols);
  const float maximum = rows.maximum[row];
  const float inverse_sum = rows.inverse_sum[row];
  const RowDropout dropout(shape, head.first_row + static_cast<std::uint64_t>(row));
  for_vectors(cols, FIXTUNE_BODY {
    const Vector weight = weight_of(load(p + i), shape.factor, maximum) * inverse_sum;
    store(p + i, weight);
    store(dropped_p + i, dropout.threshold == 0 ? weight : dropout(weight, i));
  });
}

// dS = factor * P * (dP - sum(P * dP)), where P * dP = dropped(P) * d(dropped P); in place of the latter.
FIXTUNE_ALWAYS_INLINE void score_gradient_row(float factor, const float* p, const float* dropped_p, float* d,
                                              std::int64_t cols) {
  LaneSum sum;
  for_vectors(cols, FIXTUNE_BODY {
    const Vector product = load(dropped_p + i) * load(d + i);
    sum.part[v] += product;
    store(d + i, product);
  });
  const float dot = sum.total();
  for_vectors(cols, FIXTUNE_BODY { store(d + i, (load(d + i) - load(p + i) * dot) * factor); });
}

void attention_backward(const AttentionShape& shape, const AttentionHead& head, const AttentionBackward& b,
                        float* scratch) {
  const std::int64_t n = head.length;
  const std::int64_t keys = padded(n);
  const std::int64_t size = padded(shape.size);
  const std::int64_t operand = keys * size;
  float* q = scratch;
  float* k = q + operand;
  float* dy = k + operand;
  float* k_transposed = dy + operand;
  float* v_transposed = k_transposed + operand;
  float* dk = v_transposed + operand;
  float* dv = dk + operand;
  float* dq = dv + operand;
  float* p = dq + block_queries * size;
  float* dropped_p = p + block_queries * keys;
  float* d = dropped_p + block_queries * keys;
  pack_rows(q, b.v, n, shape);  // where V waits to be transposed
  transpose(v_transposed, q, keys, size);
  pack_rows(q, b.q, n, shape);
  pack_rows(k, b.k, n, shape);
  transpose(k_transposed, k, keys, size);
  pack_rows(dy, {b.dy, nullptr}, n, shape);
  const bool scores = b.dq != nullptr || b.dk != nullptr;
  for (std::int64_t first = 0; first < n; first += block_queries) {
    const std::int64_t queries = n - first < block_queries ? n - first : block_queries;
    // The contribution of this block of queries to a gradient of keys or values: += weights^T rows.
    const auto add_to_keys = [&](float* out, const float* weights, const float* rows) {
      const Product sum{weights, 1, keys, rows + first * size, size, out, size, n, size, queries};
      return first == 0 ? product<false>(sum) : product<true>(sum);
    };
    product<false>({q + first * size, size, 1, k_transposed, keys, p, keys, queries, keys, shape.size});
    for (std::int64_t r = 0; r < queries; ++r)
      weights_row(shape, head, b.rows, first + r, p + r * keys, dropped_p + r * keys, keys);
    if (scores) {
      product<false>({dy + first * size, size, 1, v_transposed, keys, d, keys, queries, keys, shape.size});
      for (std::int64_t r = 0; r < queries; ++r) {
        score_gradient_row(shape.factor, p + r * keys, dropped_p + r * keys, d + r * keys, keys);
        if (shape.bf16) round_row(d + r * keys, keys);
      }
    }
    if (b.dv != nullptr) {
      if (shape.bf16)
        for (std::int64_t r = 0; r < queries; ++r) round_row(dropped_p + r * keys, keys);
      add_to_keys(dv, dropped_p, dy);
    }
    if (b.dq != nullptr) {
      product<false>({d, keys, 1, k, size, dq, size, queries, size, n});
      unpack_rows(b.dq + first * shape.stride, dq, queries, shape);
    }
    if (b.dk != nullptr) add_to_keys(dk, d, q);
  }
  if (b.dk != nullptr) unpack_rows(b.dk, dk, n, shape);
  if (b.dv != nullptr) unpack_rows(b.dv, dv, n, shape);
}

std::int64_t attention_scratch(std::int64_t length, std::int64_t size) {
  const std::int64_t keys = padded(length);
  return 7 * keys * padded(size) + block_queries * (padded(size) + 3 * keys);
}

}  // namespace fixtune::detail::FIXTUNE_LANES_NAMESPACE
