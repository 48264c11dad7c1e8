#include "fixtune/gemm/packed_product.h"
#include "integer_kernel.h"

namespace fixtune::detail {

void packed_integer_product(const IntegerProduct& p) {
  const PackedRows a = p.transpose_a == Transpose::Yes ? PackedRows::transpose(p.a) : PackedRows::view(p.a);
  packed_product(a, p.b, p.transpose_b, p.c, p.ldc);
}

}  // namespace fixtune::detail
