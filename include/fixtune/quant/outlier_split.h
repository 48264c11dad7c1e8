#pragma once

#include <functional>
#include <string_view>

#include "fixtune/core/random.h"
#include "fixtune/core/tensor.h"
#include "fixtune/quant/fixed_point_tensor.h"
#include "fixtune/quant/recipe.h"

namespace fixtune {

/// What a split found in one activation.
struct OutlierStatistics {
  Index elements = 0;          ///< rows*cols
  Index outliers = 0;          ///< elements with |x| > gamma
  Index outlier_columns = 0;   ///< columns holding at least one
  float largest = 0.0F;        ///< largest |x|
  float step = 0.0F;           ///< step of the INT8 codes (largest over rows)
};

/// One outlier as a sparse integer: value `k` at (row, column).
struct SparseDigit {
  std::int32_t row = 0;  ///< of the element
  std::int32_t column = 0;  ///< of the element
  /// k' (TiledSplit, up to two INT8 planes: |k'| <= 127*255), or the INT12 code (UnifiedScale), which may be 0.
  std::int32_t digit = 0;
};

/// An activation as integers, by any outlier treatment.
///
/// - Untreated: `X ~ s_x X8`.
/// - UnifiedScale (Eq. 1): \f$ X \approx s_x X_8 + s_o X_{12} \f$; `digits` hold X12, the cells of X8 they came from
///   are 0.
/// - TiledSplit (Eq. 2-3), full-range step: \f$ X \approx s_x (X_8 + u K') \f$, u = unit = 2*max_code (254 for 8 bits).
///   A block with outliers takes `s_x = gamma/max_code/2^j`, k' = k*2^j, so that s_x*unit*k' is 2 gamma k to the
///   rounding of gamma/max_code; a block without has its free step.
/// - TiledSplit, power-of-two step: `X ~ s_x (X8 + unit*k)` where unit = 2 gamma / s_x is an integer (160 for
///   gamma 5 and inliers up to [4,8); rows with outliers share one s_x), else `X ~ s_x X8 + 2 gamma k` and
///   `digit_unit` is 0.
struct QuantizedActivation {
  OutlierTreatment treatment = OutlierTreatment::Untreated;  ///< what was done with outliers
  FixedPointTensor inliers;          ///< X8 with its steps (for TiledSplit: the codes of the remainder r)
  WorkspaceVector<SparseDigit> digits;   ///< sorted by (row, column)
  std::int32_t digit_unit = 0;       ///< multiplies digits inside the accumulators (254, 160), or 0
  float digit_step = 0.0F;           ///< where digit_unit is 0: digits are worth digit_step each (s_o, or 2 gamma)
  OutlierStatistics statistics;  ///< what was found on the way

  std::size_t bytes() const { return inliers.bytes() + digits.size() * sizeof(SparseDigit); }  ///< of codes and digits
};

/// Splits and quantises an activation `[tokens, in]` by the recipe's outlier treatment, gamma, isolation, format.
/// An outlier is `|x| > gamma`; at gamma itself x stays an inlier. INT8 codes use random number r*cols+c, INT12
/// codes rows*cols + r*cols+c. The same result for any number of threads.
/// Throws Error naming `name`, row and column on NaN or infinity, or on a digit past two INT8 planes.
QuantizedActivation quantize_activation(ConstMatrixMap x, const Recipe& recipe, const RandomStream& random,
                                        std::string_view name);

/// True where no row's codes depend on another row: row steps, a gamma that is fixed or the row's own, and no columns that
/// move as a whole.
bool quantises_each_row_alone(const Recipe& recipe);

/// Makes rows [begin, end) of an activation at `rows`, one after the other. The same rows may be asked for again, and
/// several threads ask at once.
using RowProducer = std::function<void(Index begin, Index end, float* rows)>;

/// The same of an activation `[rows, cols]` that is never in memory as a whole where quantises_each_row_alone(recipe): a
/// few rows at a time are made and quantised while they are in cache.
QuantizedActivation quantize_activation(Index rows, Index cols, const RowProducer& producer, const Recipe& recipe,
                                        const RandomStream& random, std::string_view name);

/// The activation that the integers stand for, in FP32.
Tensor dequantize(const QuantizedActivation& q);

}  // namespace fixtune
