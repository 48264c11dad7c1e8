#pragma once

#include <memory>

#include "fixtune/gemm/integer_product.h"

namespace fixtune::bench {

/// oneDNN's FP32 `matmul`, `C[M,N] = op(A) op(B)`, on plain row-major memory; created once, outside the timing.
///
/// The library's own FP32 product is dnnl_sgemm; the better of the two is the honest baseline.
class OneDnnFp32Matmul {
 public:
  /// For the threads in force now. Throws Error where oneDNN refuses, or has only its reference kernel.
  OneDnnFp32Matmul(Index m, Index n, Index k, Transpose transpose_a, Transpose transpose_b);
  ~OneDnnFp32Matmul();
  OneDnnFp32Matmul(const OneDnnFp32Matmul&) = delete;
  OneDnnFp32Matmul& operator=(const OneDnnFp32Matmul&) = delete;

  void operator()(const float* a, const float* b, float* c) const;

 private:
  struct Plan;
  std::unique_ptr<Plan> plan_;
};

}  // namespace fixtune::bench
