#pragma once

#include <string_view>

#include "fixtune/linear/linear.h"

namespace fixtune {

/// What becomes of the sums of X8 W8^T, and where it goes.
ProductOutput output_of(const FixedPointTensor& x, const FixedPointTensor& w, MatrixMap y);

/// Throws Error where X `[rows, cols]`, weight and Y do not fit each other.
void check_shapes(Index rows, Index cols, const QuantizedWeight& weight, const MatrixMap& y, std::string_view name);

}  // namespace fixtune
