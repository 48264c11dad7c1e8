#pragma once

#include "fixtune/gemm/integer_product.h"

namespace fixtune::detail {

/// A product whose operands have been checked: `c[m,n] = sum_k a(m,k) b(k,n)`, all extents at least 1.
struct IntegerProduct {
  Int8View a, b;
  Transpose transpose_a = Transpose::No;
  Transpose transpose_b = Transpose::No;
  std::int32_t* c = nullptr;
  Index ldc = 0;
  Index m = 0, n = 0, k = 0;
};

void reference_product(const IntegerProduct& product);
void packed_integer_product(const IntegerProduct& product);
void onednn_product(const IntegerProduct& product);
void float_chunk_product(const IntegerProduct& product);

}  // namespace fixtune::detail
