#pragma once

// Products of the lane kernels' small matrices, whose columns are whole vectors; see lane_kernels.h.

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

}  // namespace fixtune::detail::FIXTUNE_LANES_NAMESPACE
