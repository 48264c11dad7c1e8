#pragma once

#include "fixtune/gemm/sparse_part.h"

namespace fixtune {

/// Whether Approach 1's outliers fill their rows and columns so far that a product of INT8 digits over those is faster
/// than joining them code by code as the rows are stored.
bool fill_a_tile(const SparseRows& outliers);

/// Adds Approach 1's INT12 part to `y[tokens, out]` as a product of its own over the rows and columns with outliers
/// (INT8 digits, base 64): `y[m,n] += (s_o sum_k X12[m,k] W12[n,k]) s_w12`, the sum exact.
void add_outlier_tile(const SparseRows& outliers, const FixedPointTensor& w12, MatrixMap y);

}  // namespace fixtune
