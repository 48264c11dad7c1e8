#pragma once

#include <vector>

#include "fixtune/gemm/integer_product.h"

namespace fixtune::bench {

/// The integer back ends that work here: those whose worst-case product equals the reference's. The reference itself
/// (three loops) is left out.
std::vector<IntegerBackend> working_backends();

}  // namespace fixtune::bench
