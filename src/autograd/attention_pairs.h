#pragma once

// Attention whose products take BF16 values in pairs, two multiplications a lane (AVX512-BF16); see lane_kernels.h.
//
// A word holds the BF16 of two values that are neighbours along the contraction, and lies where a float would. Operands
// whose rows are contracted keep their rows (`row words`, half as long); those whose columns are contracted have two rows
// joined (`column words`). The instruction takes and gives denormals as zero.

#include "attention_lanes.h"

namespace fixtune::detail::FIXTUNE_LANES_NAMESPACE {

struct PairElements {
  static FIXTUNE_ALWAYS_INLINE Vector repeated(const float* a) { return value_of(splat_bits(load_as<std::uint32_t>(a))); }
  static FIXTUNE_ALWAYS_INLINE Vector add_product(Vector a, Vector b, Vector sum) {
    return reinterpret_cast<Vector>(_mm512_dpbf16_ps(reinterpret_cast<__m512>(sum), __builtin_bit_cast(__m512bh, a),
                                                     __builtin_bit_cast(__m512bh, b)));
  }
};

/// BF16 of `low` in the lower half of the vector, of `high` in the upper.
FIXTUNE_ALWAYS_INLINE __m512i bf16_of(Vector low, Vector high) {
  return __builtin_bit_cast(__m512i, _mm512_cvtne2ps_pbh(reinterpret_cast<__m512>(high), reinterpret_cast<__m512>(low)));
}

/// in[rows, cols] to row words[rows, out_stride]; cols in whole vectors. `out` may be `in` where each row stays in
/// its place.
FIXTUNE_ALWAYS_INLINE void row_words(float* out, std::int64_t out_stride, const float* in, std::int64_t rows,
                                     std::int64_t cols) {
  for (std::int64_t r = 0; r < rows; ++r) {
    const float* from = in + r * cols;
    float* to = out + r * out_stride;
    std::int64_t c = 0;
    for (; c + 2 * width <= cols; c += 2 * width)
      store_as(to + c / 2, bf16_of(load(from + c), load(from + c + width)));
    if (c < cols) store_as(to + c / 2, _mm512_cvtneps_pbh(reinterpret_cast<__m512>(load(from + c))));
  }
}

/// in[rows, cols] to column words[(rows + 1) / 2, cols]; a last single row is joined with zeros. `out` may be `in`.
FIXTUNE_ALWAYS_INLINE void column_words(float* out, const float* in, std::int64_t rows, std::int64_t cols) {
  alignas(64) std::uint16_t order[2 * width];
  for (int l = 0; l < width; ++l) {
    order[2 * l] = static_cast<std::uint16_t>(l);
    order[2 * l + 1] = static_cast<std::uint16_t>(l + width);
  }
  const __m512i interleaved = _mm512_load_si512(order);
  for (std::int64_t r = 0; r < rows; r += 2, out += cols) {
    const float* from = in + r * cols;
    const bool single = r + 1 == rows;
    for (std::int64_t c = 0; c < cols; c += width) {
      const Vector next = single ? Vector{} : load(from + cols + c);
      store_as(out + c, _mm512_permutexvar_epi16(interleaved, bf16_of(load(from + c), next)));
    }
  }
}

void attention_pairs_forward(const AttentionShape& shape, const AttentionHead& head, const AttentionForward& f,
                             float* scratch) {
  const std::int64_t n = head.length;
  const std::int64_t keys = padded(n);
  const std::int64_t size = padded(shape.size);
  float* values = scratch;                            // one operand at a time
  float* q = values + keys * size;                    // row words
  float* k_transposed = q + keys * size / 2;          // row words, transposed
  float* v = k_transposed + keys * size / 2;          // column words
  float* p = v + keys * size / 2;
  float* y = p + block_queries * keys;
  pack_rows(values, {f.k, nullptr}, n, shape, f.kept_k);
  row_words(q, size / 2, values, keys, size);  // where K waits to be transposed
  transpose(k_transposed, q, keys, size / 2);
  pack_rows(values, {f.v, nullptr}, n, shape, f.kept_v);
  column_words(v, values, keys, size);
  pack_rows(values, {f.q, nullptr}, n, shape, f.kept_q);
  row_words(q, size / 2, values, keys, size);
  for (std::int64_t first = 0; first < n; first += block_queries) {
    const std::int64_t queries = n - first < block_queries ? n - first : block_queries;
    product<false, PairElements>(
        {q + first * size / 2, size / 2, 1, k_transposed, keys, p, keys, queries, keys, size / 2});
    softmax_block(shape, head, f, first, queries, p, keys);
    row_words(p, keys, p, queries, keys);
    product<false, PairElements>({p, keys, 1, v, size, y, size, queries, size, (n + 1) / 2});
    unpack_rows(f.y + first * shape.stride, y, queries, shape);
  }
}

void attention_pairs_backward(const AttentionShape& shape, const AttentionHead& head, const AttentionBackward& b,
                              float* scratch) {
  const std::int64_t n = head.length;
  const std::int64_t keys = padded(n);
  const std::int64_t size = padded(shape.size);
  const std::int64_t words = keys * size / 2;
  float* values = scratch;           // one operand at a time
  float* q = values + keys * size;   // row words
  float* dy = q + words;             // the same
  float* q_columns = dy + words;     // column words
  float* dy_columns = q_columns + words;
  float* k_columns = dy_columns + words;
  float* k_transposed = k_columns + words;  // row words, transposed
  float* v_transposed = k_transposed + words;
  float* dk = v_transposed + words;
  float* dv = dk + keys * size;
  float* dq = dv + keys * size;
  float* p = dq + block_queries * size;
  float* dropped_p = p + block_queries * keys;
  float* d = dropped_p + block_queries * keys;
  pack_rows(values, b.v, n, shape);
  row_words(q, size / 2, values, keys, size);  // where V, then K, wait to be transposed
  transpose(v_transposed, q, keys, size / 2);
  pack_rows(values, b.k, n, shape);
  row_words(q, size / 2, values, keys, size);
  transpose(k_transposed, q, keys, size / 2);
  column_words(k_columns, values, keys, size);
  pack_rows(values, b.q, n, shape);
  row_words(q, size / 2, values, keys, size);
  column_words(q_columns, values, keys, size);
  pack_rows(values, {b.dy, nullptr}, n, shape);
  row_words(dy, size / 2, values, keys, size);
  column_words(dy_columns, values, keys, size);
  const bool scores = b.dq != nullptr || b.dk != nullptr;
  for (std::int64_t first = 0; first < n; first += block_queries) {
    const std::int64_t queries = n - first < block_queries ? n - first : block_queries;
    const std::int64_t pairs = (queries + 1) / 2;
    // The contribution of this block of queries to a gradient of keys or values: += weights^T rows. Blocks are even.
    const auto add_to_keys = [&](float* out, const float* weights, const float* rows) {
      const Product sum{weights, 1, keys, rows + first / 2 * size, size, out, size, n, size, pairs};
      return first == 0 ? product<false, PairElements>(sum) : product<true, PairElements>(sum);
    };
    product<false, PairElements>(
        {q + first * size / 2, size / 2, 1, k_transposed, keys, p, keys, queries, keys, size / 2});
    if (scores)
      product<false, PairElements>(
          {dy + first * size / 2, size / 2, 1, v_transposed, keys, d, keys, queries, keys, size / 2});
    softmax_gradient_block(shape, head, b, first, queries, p, dropped_p, scores ? d : nullptr, keys);
    if (b.dv != nullptr) {
      column_words(dropped_p, dropped_p, queries, keys);
      add_to_keys(dv, dropped_p, dy_columns);
    }
    if (b.dk != nullptr) {
      column_words(p, d, queries, keys);
      add_to_keys(dk, p, q_columns);
    }
    if (b.dq != nullptr) {
      row_words(d, keys, d, queries, keys);
      product<false, PairElements>({d, keys, 1, k_columns, size, dq, size, queries, size, (n + 1) / 2});
      unpack_rows(b.dq + first * shape.stride, dq, queries, shape);
    }
  }
  if (b.dk != nullptr) unpack_rows(b.dk, dk, n, shape);
  if (b.dv != nullptr) unpack_rows(b.dv, dv, n, shape);
}

}  // namespace fixtune::detail::FIXTUNE_LANES_NAMESPACE
