#pragma once

#include "fixtune/gemm/integer_product.h"

namespace fixtune::detail {

/// BF16 operands, A with a row stride, B contiguous as stored; FP32 result.
struct Bf16Product {
  Transpose transpose_a = Transpose::No;
  Transpose transpose_b = Transpose::No;
  Index m = 0, n = 0, k = 0;
  const std::uint16_t* a = nullptr;
  Index lda = 0;
  const std::uint16_t* b = nullptr;
  float* c = nullptr;
  Index ldc = 0;
  bool accumulate = false;
};

/// True where oneDNN multiplies BF16 on BF16 instructions.
bool bf16_instructions();
/// False, and nothing done, where oneDNN has only a reference kernel for this product.
bool bf16_matmul(const Bf16Product& product);

}  // namespace fixtune::detail
