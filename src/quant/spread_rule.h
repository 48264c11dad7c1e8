#pragma once

#include "fixtune/quant/outlier_split.h"

namespace fixtune {

/// quantize_activation for a recipe whose gamma counts root mean squares, of the tensor or of each row.
QuantizedActivation quantize_by_spread(ConstMatrixMap x, const Recipe& recipe, const RandomStream& random,
                                       std::string_view name);

}  // namespace fixtune
