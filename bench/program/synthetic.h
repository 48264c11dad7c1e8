#pragma once

#include <cstdint>

#include "fixtune/core/aligned_buffer.h"
#include "fixtune/core/tensor.h"

namespace fixtune::bench {

/// Normal values of standard deviation `scale`: a pure function of shape, seed and scale.
Tensor normal_values(Index rows, Index cols, std::uint64_t seed, float scale = 1.0F);

/// Normal values with outliers in the share `density` of the columns: each such column has a value of 30 in one row
/// of 20. The columns are spread evenly, the rows staggered from column to column.
Tensor activations(Index rows, Index cols, double density);

/// INT8 codes in [-127, 127] as row steps make them of normal values: 127 at 3.5 deviations, where the largest of some
/// 2000 values lies.
AlignedBuffer<std::int8_t> normal_codes(Index size, std::uint64_t seed);

}  // namespace fixtune::bench
