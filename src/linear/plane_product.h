#pragma once

#include "fixtune/gemm/packed_product.h"

namespace fixtune {

/// The left operand `codes + unit_d*digits + high_unit*high`; digits and second plane may be missing.
struct LeftPlanes {
  const PackedRows& codes;
  const DigitRows& digits;
  const PackedRows* high = nullptr;
  float high_unit = 0.0F;
};

/// The right operand `codes + high_unit*high`.
struct RightPlanes {
  const PackedColumns& codes;
  const PackedColumns& high;  ///< empty: one plane
  float high_unit = 0.0F;
};

/// `Y = epilogue(A B)` over every pair of planes: one packed product where both have one plane, else their sums, exact
/// each, joined in FP32.
void plane_product(const LeftPlanes& a, const RightPlanes& b, const ProductOutput& output);

}  // namespace fixtune
