#pragma once

#include <array>
#include <string_view>

#include "fixtune/gemm/integer_product.h"
#include "program/layer_shapes.h"

namespace fixtune::bench {

/// One of a linear layer's three products, `C[m,n] = op(A) op(B)`, as stored.
struct Product {
  std::string_view form;
  Index m = 0, n = 0, k = 0;
  Transpose transpose_a = Transpose::No;
  Transpose transpose_b = Transpose::No;

  /// True for X W^T and dY W, whose right operand lasts a step.
  bool right_is_weight() const { return transpose_a == Transpose::No; }
  Index a_rows() const { return transpose_a == Transpose::Yes ? k : m; }
  Index a_cols() const { return transpose_a == Transpose::Yes ? m : k; }
  Index b_rows() const { return transpose_b == Transpose::Yes ? n : k; }
  Index b_cols() const { return transpose_b == Transpose::Yes ? k : n; }
  /// Two for each multiply-add.
  double operations() const { return 2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k); }
};

/// `Y = X W^T`, `dX = dY W` and `dW = dY^T X` of a layer on so many tokens.
constexpr std::array<Product, 3> products_of(const LayerShape& layer, Index tokens) {
  return {Product{"X W^T", tokens, layer.out, layer.in, Transpose::No, Transpose::Yes},
          Product{"dY W", tokens, layer.in, layer.out, Transpose::No, Transpose::No},
          Product{"dY^T X", layer.out, layer.in, tokens, Transpose::Yes, Transpose::No}};
}

}  // namespace fixtune::bench
