#pragma once

#include "fixtune/core/tensor.h"
#include "fixtune/quant/outlier_split.h"

namespace fixtune {

/// Adds Approach 1's INT12 part to `y[tokens, out]`: `y[m,n] += (s_o sum_k X12[m,k] W12[n,k]) s_w12`, the sum exact.
///
/// Isolated elements are sparse, row by row; whole columns fill a tile, which runs as INT8 digits (base 64).
void add_unified_scale_part(const QuantizedActivation& x, const FixedPointTensor& w12, MatrixMap y);

}  // namespace fixtune
