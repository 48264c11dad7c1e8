#pragma once

#include <optional>

#include "fixtune/linear/linear.h"
#include "linear/column_codes.h"

namespace fixtune {

/// What the backward products read instead of dY.
struct OutputGradient {
  FixedPointTensor by_token;    ///< A8 `[tokens, out]`, with sw[n] folded in where W's forward codes have row steps
  HighPlane by_token_high;      ///< its second plane, where the recipe gives dY two
  ColumnCodes by_feature;   ///< B8, with sx[m] folded in where X's codes have a step per token
  std::optional<ColumnEncoder> columns_left;  ///< what encodes B8, where that is left for later
};

/// What of it is wanted, and what is folded in.
struct OutputGradientRequest {
  bool by_token = false;
  bool by_feature = false;
  bool columns_later = false;           ///< B8 may be left to an encoder, beside a product
  const float* column_scale = nullptr;  ///< sw, folded into A8; null: none
  const float* row_scale = nullptr;     ///< sx, folded into B8; null: none
  std::string_view column_stream = "dy.dw";  ///< random stream of B8
  float* bias_gradient = nullptr;       ///< db as a sum over the tokens in blocks of a fixed size; null: not wanted
};

/// The request that a recipe's backward makes of dY.
OutputGradientRequest backward_request(const QuantizedWeight& weight, const LinearInput& saved);

/// Quantises dY `[tokens, out]` in two readings: magnitudes, A8 and db in the first, B8 in the second, now or later.
/// Throws Error naming the layer where dY holds NaN or infinity.
OutputGradient quantize_output_gradient(ConstMatrixMap dy, const OutputGradientRequest& request, const Recipe& recipe,
                                        const LinearContext& context);

/// True where dY takes two planes: wide codes, or outliers split from it.
bool takes_planes(const Recipe& recipe);

/// quantize_output_gradient where dY takes two planes, by way of scaled copies of it.
OutputGradient quantize_gradient_in_planes(ConstMatrixMap dy, const OutputGradientRequest& request,
                                           const Recipe& recipe, const LinearContext& context);

/// db[n] = step[n] * sum of integer codes of dY, exact (an option of the recipe).
void integer_bias_gradient(ConstMatrixMap dy, const Recipe& recipe, const LinearContext& context, float* db);
/// db[n] = sum_m dY[m,n] in FP32, over blocks of tokens of a fixed size.
void float_bias_gradient(ConstMatrixMap dy, float* db);

}  // namespace fixtune
