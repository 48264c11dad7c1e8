#pragma once

#include <memory>

#include "fixtune/gemm/integer_product.h"

namespace fixtune::bench {

/// Whether B is handed over as it is stored, or once beforehand in the layout that oneDNN likes best.
enum class PackB : bool { InTheProduct, Beforehand };

/// oneDNN's FP32 `matmul`, `C[M,N] = op(A) op(B)`, A and C in plain row-major memory; created outside the timing.
///
/// The library's own FP32 product is dnnl_sgemm; the better of the two is the honest baseline.
class OneDnnFp32Matmul {
 public:
  /// For the threads in force now. Throws Error where oneDNN refuses, or has only its reference kernel.
  OneDnnFp32Matmul(Index m, Index n, Index k, Transpose transpose_a, Transpose transpose_b,
                   PackB pack = PackB::InTheProduct);
  ~OneDnnFp32Matmul();
  OneDnnFp32Matmul(const OneDnnFp32Matmul&) = delete;
  OneDnnFp32Matmul& operator=(const OneDnnFp32Matmul&) = delete;

  /// Packs B; needed, with PackB::Beforehand, before the product, whose `b` is then not read.
  void pack(const float* b);
  void operator()(const float* a, const float* b, float* c) const;

 private:
  struct Plan;
  std::unique_ptr<Plan> plan_;
};

}  // namespace fixtune::bench
