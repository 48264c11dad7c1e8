#include "gemm/backends.h"

#include <algorithm>

namespace fixtune::bench {
namespace {

constexpr IntegerBackend candidates[] = {IntegerBackend::Packed, IntegerBackend::OneDnn, IntegerBackend::OneDnnFp32};

constexpr Index size = 64;

AlignedBuffer<std::int32_t> worst_case_product(IntegerBackend backend) {
  AlignedBuffer<std::int8_t> codes(size * size);
  codes.fill(127);  // pair sums in 16 bits saturate here
  const Int8View view{codes.data(), size, size, size};
  AlignedBuffer<std::int32_t> c(size * size);
  integer_product(backend, view, Transpose::No, view, Transpose::Yes, c.data(), size);
  return c;
}

bool works(IntegerBackend backend) {
  try {
    const AlignedBuffer<std::int32_t> expected = worst_case_product(IntegerBackend::Reference);
    const AlignedBuffer<std::int32_t> c = worst_case_product(backend);
    return std::equal(c.begin(), c.end(), expected.begin(), expected.end());
  } catch (const Error&) {
    return false;  // not on this CPU
  }
}

}  // namespace

std::vector<IntegerBackend> working_backends() {
  std::vector<IntegerBackend> working;
  for (const IntegerBackend backend : candidates)
    if (works(backend)) working.push_back(backend);
  return working;
}

}  // namespace fixtune::bench
