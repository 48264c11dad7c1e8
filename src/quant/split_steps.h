#pragma once

#include <span>

#include "quant/outlier_rows.h"

/// The steps of the INT8 codes, once it is known what of X stays among them.
namespace fixtune {

/// A step for each row of the stretch.
///
/// `rest` holds, for every row of X, the largest magnitude of what stays INT8. Under TiledSplit the step may be finer than
/// gamma / max_code; the row's digits are then scaled to count in it.
void choose_row_steps(OutlierRows& rows, const row_kernels::MagnitudeBits* rest, const Recipe& recipe,
                      FixedPointTensor& codes);

/// The same with one step for all rows, `rest` being of all of them.
void choose_tensor_step(OutlierStretches& stretches, std::span<const row_kernels::MagnitudeBits> rest,
                        const Recipe& recipe, FixedPointTensor& codes);

}  // namespace fixtune
