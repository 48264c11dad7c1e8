#pragma once

#include "packed_kernel.h"

namespace fixtune::detail {

/// Whether two kernels give the same bits on worst cases: each code at its limit, edges, digits, sums past 32 bits, a
/// sparse part, transposed tiles.
bool same_integers(const PanelKernel& one, const PanelKernel& other);

}  // namespace fixtune::detail
