#pragma once

#include "fixtune/core/tensor.h"
#include "fixtune/gemm/integer_product.h"

namespace fixtune {

/// Precision of a float product's operands; sums are FP32 in both.
enum class FloatKind : std::uint8_t { FP32, BF16 };

/// `C = op(A) op(B)`, or `C += op(A) op(B)` with `accumulate`, row-major, in FP32 or with both operands rounded to
/// BF16 (nearest even) and FP32 sums, through oneDNN. On a CPU without BF16 instructions the BF16 product is an
/// FP32 product of BF16-rounded operands.
void float_product(FloatKind kind, ConstMatrixMap a, Transpose transpose_a, ConstMatrixMap b, Transpose transpose_b,
                   MatrixMap c, bool accumulate = false);

/// A batch of small products with one shape, as attention needs: pointers and strides per item.
struct FloatProductItem {
  const float* a = nullptr;  ///< `[m, k]`, or `[k, m]` where transposed
  const float* b = nullptr;  ///< `[k, n]`, or `[n, k]` where transposed
  float* c = nullptr;  ///< `[m, n]`
  /// Shape of the product, and length of its sums.
  ///@{
  Index m = 0, n = 0, k = 0;
  ///@}
  /// Floats from row to row.
  ///@{
  Index lda = 0, ldb = 0, ldc = 0;
  ///@}
};
/// One product of a batch, on the calling thread only (callers run items in parallel): `C = op(A) op(B)`.
void float_product_serial(FloatKind kind, const FloatProductItem& item, Transpose transpose_a, Transpose transpose_b);

/// True where BF16 products run on BF16 instructions.
bool has_native_bf16();

/// x rounded to BF16 (nearest even) and back.
float round_to_bf16(float x);

}  // namespace fixtune
