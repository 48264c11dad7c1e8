#include "linear/plane_product.h"


namespace fixtune {
namespace {

/// Adds `unit * epilogue(A B)`, without the bias, which the first planes' product had.
void add_scaled(const PackedRows& a, const DigitRows& digits, const PackedColumns& b, float unit, ProductOutput output) {
  output.add = true;
  output.bias = nullptr;
  WorkspaceVector<float> steps;
  if (output.row_steps == nullptr) {
    output.row_step *= unit;
  } else if (output.column_steps == nullptr) {
    output.column_step *= unit;
  } else {
    steps.assign(output.row_steps, output.row_steps + a.rows());
    for (float& step : steps) step *= unit;
    output.row_steps = steps.data();
  }
  packed_product(a, digits, b, output);
}

}  // namespace

void add_second_planes(const LeftPlanes& a, const RightPlanes& b, const ProductOutput& output) {
  const bool left = a.high != nullptr && a.high->rows() > 0;
  const bool right = !b.high.empty();
  if (left) add_scaled(*a.high, {}, b.codes, a.high_unit, output);
  if (right) add_scaled(a.codes, a.digits, b.high, b.high_unit, output);
  if (left && right) add_scaled(*a.high, {}, b.high, a.high_unit * b.high_unit, output);
}

}  // namespace fixtune
