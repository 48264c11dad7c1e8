#pragma once

#include <string_view>

#include "fixtune/core/random.h"
#include "fixtune/quant/fixed_point_tensor.h"

namespace fixtune {

/// A second plane of INT8 codes beside a first of the same shape.
struct HighPlane {
  AlignedBuffer<std::int8_t> codes;  ///< of the first plane's shape; none where one plane is enough
  float unit = 0.0F;  ///< what a code is worth in codes of the first plane

  bool empty() const { return codes.size() == 0; }  ///< True where there is no second plane.
};

/// A matrix as one or two planes of INT8 codes: `x[r,c] ~ step(r) * (low[r,c] + unit*high[r,c])`.
///
/// The second plane holds what passes INT8: the upper digits of codes above 8 bits (unit 64), or the outlier digits of
/// a split (unit 254 with the full-range step).
struct CodePlanes {
  FixedPointTensor low;  ///< the first plane, with the steps
  HighPlane high;  ///< empty where one plane is enough
};

/// Splits codes of 9 to 12 bits into balanced digits of base 64: `q = low + 64*high`, both at most 32 in magnitude.
CodePlanes planes_of(const FixedPointTensor& wide);

/// Quantises a matrix. Codes above 8 bits take two planes; `outliers_above` > 0 splits what is above that many root mean
/// squares of its block as `x = r + 2 gamma k` (Eq. 2-3), r in the first plane and k, where there are any, in the second.
/// Codes use random number r*cols+c. Throws Error naming `name` on NaN or infinity, and where a digit passes a plane.
CodePlanes quantize_in_planes(ConstMatrixMap x, const Format& format, float outliers_above, const RandomStream& random,
                              std::string_view name);

}  // namespace fixtune
