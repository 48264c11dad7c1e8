#pragma once

#include <string>
#include <vector>

#include "fixtune/core/tensor.h"
#include "fixtune/quant/recipe.h"

namespace fixtune::inspect {

/// A column of an input that holds outliers.
struct OutlierColumn {
  Index column = 0;
  Index outliers = 0;  ///< tokens whose value there is one
  float largest = 0.0F;
};

/// How many magnitudes lie in each half-open range from one power of two to the next.
struct Histogram {
  static constexpr int lowest = -10;  ///< the first range also counts what lies below it, zeros too
  static constexpr int ranges = 18;   ///< the last, from 2^7, also counts what lies above it
  Index counts[ranges] = {};

  void add(float magnitude);
};

/// What the input of one or several linear layers (Q, K and V) holds.
struct InputFigures {
  std::string name;
  Index tokens = 0;
  Index columns = 0;
  float threshold = 0.0F;  ///< above which an element is an outlier; where each row has its own, the least
  Index outliers = 0;      ///< elements
  float largest = 0.0F;
  float step = 0.0F;  ///< of the codes, the largest over the rows
  double error = 0.0; ///< `|X^ - X| / |X|`
  std::vector<OutlierColumn> outlier_columns;  ///< those with most outliers first
  std::vector<float> column_largest;
  Histogram histogram;

  double element_share() const;
  double column_share() const;
};

/// Error of a product under one recipe: `|Y^ - X W^T| / |X W^T|`.
struct ProductError {
  std::string recipe;
  double error = 0.0;
};

/// One linear layer under its recipe, and its product under others.
struct LayerFigures {
  std::string name;
  std::size_t input = 0;  ///< index of the input it reads
  Recipe recipe;
  double weight_error = 0.0;
  double weight_step = 0.0;     ///< the largest over the rows
  double product_error = 0.0;   ///< of Y under `recipe`
  double token_gradient_error = 0.0;    ///< of dY as dX = dY W reads it
  double feature_gradient_error = 0.0;  ///< of dY as dW = dY^T X reads it
  std::vector<ProductError> others;     ///< in the order asked for
};

/// The figures of X `[tokens, in]` under a recipe; `seed` keys stochastic rounding. Throws Error on NaN or infinity.
InputFigures input_figures(std::string_view name, ConstMatrixMap x, const Recipe& recipe, std::uint64_t seed);

/// `|Q(v) - v| / |v|` of a matrix in that format; above `outliers_above` root mean squares of a block (0: nowhere) with
/// a second plane of digits.
double rounding_error(std::string_view name, ConstMatrixMap values, const Format& format, float outliers_above,
                      std::uint64_t seed);

/// The error of `X W^T` under a recipe against the product in FP32.
double product_error(std::string_view name, ConstMatrixMap x, ConstMatrixMap w, const Recipe& recipe,
                     std::uint64_t seed);

}  // namespace fixtune::inspect
