#pragma once

#include "fixtune/gemm/integer_product.h"

namespace fixtune::detail {

/// `C = op(A) op(B) (+ C)` on row-major floats, leading dimensions in elements.
struct SgemmArguments {
  Transpose transpose_a = Transpose::No;
  Transpose transpose_b = Transpose::No;
  Index m = 0, n = 0, k = 0;
  const float* a = nullptr;
  Index lda = 0;
  const float* b = nullptr;
  Index ldb = 0;
  float* c = nullptr;
  Index ldc = 0;
  bool accumulate = false;
};

void sgemm(const SgemmArguments& arguments);

}  // namespace fixtune::detail
