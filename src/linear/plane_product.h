#pragma once

#include "fixtune/gemm/packed_product.h"

namespace fixtune {

/// The left operand `codes + unit*digits + high_unit*high`; digits and second plane may be missing.
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

/// Adds to Y, which holds the product of both operands' first planes (with the digits), what their second planes add:
/// `Y += epilogue(A B) - epilogue(first planes)`, each pair of planes an exact sum, joined in FP32. Nothing to do where
/// both have one plane.
void add_second_planes(const LeftPlanes& a, const RightPlanes& b, const ProductOutput& output);

}  // namespace fixtune
