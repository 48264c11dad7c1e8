#include <limits>

#include "integer_kernel.h"

namespace fixtune::detail {
namespace {

std::int64_t element(const Int8View& view, Transpose transpose, Index row, Index col) {
  return transpose == Transpose::Yes ? view.data[col * view.stride + row]
                                     : view.data[row * view.stride + col];
}

std::int32_t narrow(std::int64_t sum) {
  if (sum < std::numeric_limits<std::int32_t>::min() || sum > std::numeric_limits<std::int32_t>::max())
    fail("the integer sum {} does not fit 32 bits", sum);
  return static_cast<std::int32_t>(sum);
}

}  // namespace

// The specification of every integer product: whatever runs faster gives these integers.
void reference_product(const IntegerProduct& p) {
  for (Index m = 0; m < p.m; ++m) {
    for (Index n = 0; n < p.n; ++n) {
      std::int64_t sum = 0;
      for (Index k = 0; k < p.k; ++k)
        sum += element(p.a, p.transpose_a, m, k) * element(p.b, p.transpose_b, k, n);
      p.c[m * p.ldc + n] = narrow(sum);
    }
  }
}

}  // namespace fixtune::detail
