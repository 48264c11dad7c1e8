#pragma once

#include "sgemm.h"

namespace fixtune::detail {

/// The product with operands rounded to BF16, on BF16 instructions; false, and nothing done, where there are
/// none.
bool native_bf16_product(const SgemmArguments& arguments);

}  // namespace fixtune::detail
