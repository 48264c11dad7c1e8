#include "quant/spread_rule.h"

#include <algorithm>
#include <cmath>

namespace fixtune {
namespace {

double sum_of_squares(const float* x, Index count) {
  double sum = 0.0;
  for (Index i = 0; i < count; ++i) sum += static_cast<double>(x[i]) * x[i];
  return sum;
}

/// The root mean square, or 1 where it is no use as a unit: nothing there, next to nothing, or not finite (which the
/// quantiser then names).
float unit_of(double squares, Index count) {
  const auto rms = static_cast<float>(std::sqrt(squares / static_cast<double>(std::max<Index>(count, 1))));
  return rms > 1e-15F && rms < 1e15F ? rms : 1.0F;
}

QuantizedActivation quantize_by_tensor(ConstMatrixMap x, Recipe recipe, const RandomStream& random,
                                       std::string_view name) {
  double squares = 0.0;
  for (Index r = 0; r < x.rows(); ++r) squares += sum_of_squares(x.data() + r * x.outerStride(), x.cols());
  recipe.gamma *= unit_of(squares, x.rows() * x.cols());
  return quantize_activation(x, recipe, random, name);
}

/// Full-range codes do not change when a row and its step are scaled: rows of unit spread share one gamma.
QuantizedActivation quantize_by_row(ConstMatrixMap x, const Recipe& recipe, const RandomStream& random,
                                    std::string_view name) {
  Tensor unit_rows(x.rows(), x.cols());
  unit_rows.map() = x;
  WorkspaceVector<float> units(static_cast<std::size_t>(x.rows()));
  for (Index r = 0; r < x.rows(); ++r) {
    units[static_cast<std::size_t>(r)] = unit_of(sum_of_squares(x.data() + r * x.outerStride(), x.cols()), x.cols());
    unit_rows.map().row(r) /= units[static_cast<std::size_t>(r)];
  }
  QuantizedActivation q = quantize_activation(
      unit_rows, recipe, random, name);
  for (std::size_t r = 0; r < units.size(); ++r) q.inliers.steps[r] *= units[r];
  if (x.size() == 0) return q;
  q.statistics.largest = x.cwiseAbs().maxCoeff();
  q.statistics.step = *std::max_element(q.inliers.steps.begin(), q.inliers.steps.end());
  return q;
}

}  // namespace

QuantizedActivation quantize_by_spread(ConstMatrixMap x, const Recipe& recipe, const RandomStream& random,
                                       std::string_view name) {
  validate(recipe, name);
  Recipe fixed = recipe;
  fixed.gamma_rule = GammaRule::Fixed;
  return recipe.gamma_rule == GammaRule::RowRms ? quantize_by_row(x, fixed, random, name)
                                                : quantize_by_tensor(x, fixed, random, name);
}

}  // namespace fixtune
