#pragma once

// The attention part of a lane kernel file; see lane_kernels.h.
//
// A head's operands are copied to contiguous scratch, padded with zeros to whole vectors: strided rows would fall
// into few sets of the cache. Its queries are then taken in blocks, whose scores stay in the cache from product to
// softmax to product.

#include "lane_kernels.h"
#include "lanes.h"
#include "product_lanes.h"
#include "softmax_lanes.h"

namespace fixtune::detail::FIXTUNE_LANES_NAMESPACE {

constexpr std::int64_t block_queries = 8 * tile_rows;

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

FIXTUNE_ALWAYS_INLINE void round_all(float* x, std::int64_t n) {
  for_vectors(n, FIXTUNE_BODY { store(x + i, value_of(rounded_to_bf16(load(x + i)))); });
}

FIXTUNE_ALWAYS_INLINE void unpack_rows(float* out, const float* in, std::int64_t rows, const AttentionShape& shape) {
  const std::int64_t cols = padded(shape.size);
  for (std::int64_t r = 0; r < rows; ++r)
    for_vectors(shape.size, FIXTUNE_BODY {
      store_part(out + r * shape.stride + i, load(in + r * cols + i), count);
    });
}

// Of the next head's slices, the rows that stand where this head's do.
FIXTUNE_ALWAYS_INLINE void fetch_rows(const AttentionShape& shape, const AttentionHead& head, const float* slice,
                                      std::int64_t first, std::int64_t rows) {
  if (slice == nullptr) return;
  constexpr std::int64_t line = 64 / sizeof(float);
  const std::int64_t end = first + rows < head.next_length ? first + rows : head.next_length;
  for (std::int64_t r = first; r < end; ++r)
    for (std::int64_t c = 0; c < shape.size; c += line)
      __builtin_prefetch(slice + head.to_next + r * shape.stride + c, 0, 2);
}

// Calls body(first row, rows) for the rows that go through softmax together.
template <typename Body>
FIXTUNE_ALWAYS_INLINE void for_rows_together(std::int64_t rows, Body body) {
  for (std::int64_t r = 0; r < rows; r += rows_together) body(r, rows - r < rows_together ? rows - r : rows_together);
}

FIXTUNE_ALWAYS_INLINE void softmax_block(const AttentionShape& shape, const AttentionHead& head,
                                         const AttentionForward& f, std::int64_t first, std::int64_t queries, float* p,
                                         std::int64_t keys) {
  for_rows_together(queries, [&](std::int64_t r, std::int64_t rows) __attribute__((always_inline)) {
    const float* const slices[] = {f.q, f.k, f.v, f.y};
    for (const float* slice : slices) fetch_rows(shape, head, slice, first + r, rows);
    softmax_rows(shape, head, f.rows, first + r, rows, p + r * keys, keys);
  });
}

FIXTUNE_ALWAYS_INLINE void softmax_gradient_block(const AttentionShape& shape, const AttentionHead& head,
                                                  const AttentionBackward& b, std::int64_t first, std::int64_t queries,
                                                  float* p, float* dropped_p, float* d, std::int64_t keys) {
  for_rows_together(queries, [&](std::int64_t r, std::int64_t rows) __attribute__((always_inline)) {
    const float* const slices[] = {b.q.values, b.k.values, b.v.values, b.dy, b.dq, b.dk, b.dv};
    for (const float* slice : slices) fetch_rows(shape, head, slice, first + r, rows);
    softmax_gradient_rows(shape, head, b.rows, first + r, rows, p + r * keys, dropped_p + r * keys,
                          d == nullptr ? nullptr : d + r * keys, keys);
  });
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
    softmax_block(shape, head, f, first, queries, p, keys);
    if (shape.bf16) round_all(p, queries * keys);
    product<false>({p, keys, 1, v, size, y, size, queries, size, n});
    unpack_rows(f.y + first * shape.stride, y, queries, shape);
  }
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
    if (scores) product<false>({dy + first * size, size, 1, v_transposed, keys, d, keys, queries, keys, shape.size});
    softmax_gradient_block(shape, head, b, first, queries, p, dropped_p, scores ? d : nullptr, keys);
    if (shape.bf16) {
      round_all(dropped_p, queries * keys);
      if (scores) round_all(d, queries * keys);
    }
    if (b.dv != nullptr) add_to_keys(dv, dropped_p, dy);
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
