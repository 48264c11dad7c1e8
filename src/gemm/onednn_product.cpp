#include <oneapi/dnnl/dnnl.h>

#include "integer_kernel.h"

namespace fixtune::detail {

// The gemm function, not the matmul primitive: as fast for all three products of a layer, it needs no
// primitive per shape, and it stays in integers. matmul s8 x s8 -> s32 (2.6, avx512_core_vnni) corrects for
// the u8 operand of the instruction in FP32, and sums past 2^24 come back off by one or two (oneDNN issue
// 3435).
void onednn_product(const IntegerProduct& p) {
  const std::int32_t offset_c = 0;
  const dnnl_status_t status = dnnl_gemm_s8s8s32(
      p.transpose_a == Transpose::Yes ? 'T' : 'N', p.transpose_b == Transpose::Yes ? 'T' : 'N',
      /*offsetc=*/'F', p.m, p.n, p.k, /*alpha=*/1.0F, p.a.data, p.a.stride, /*ao=*/0, p.b.data, p.b.stride,
      /*bo=*/0, /*beta=*/0.0F, p.c, p.ldc, &offset_c);
  if (status != dnnl_success)
    fail("oneDNN refused an integer product [{}, {}, {}] (status {})", p.m, p.n, p.k,
         static_cast<int>(status));
}

}  // namespace fixtune::detail
