#include "fixtune/quant/outlier_split.h"

#include "fixtune/core/parallel.h"
#include "quant/activation_split.h"
#include "quant/row_quantizer.h"
#include "quant/spread_rule.h"

namespace fixtune {

bool quantises_each_row_alone(const Recipe& recipe) {
  return recipe.block == Block::Row && recipe.gamma_rule != GammaRule::TensorRms && !moves_columns(recipe);
}

QuantizedActivation quantize_activation(ConstMatrixMap x, const Recipe& recipe, const RandomStream& random,
                                        std::string_view name) {
  const ActivationSource source{x.rows(), x.cols(), x.data(), x.outerStride(), nullptr};
  if (recipe.gamma_rule != GammaRule::TensorRms) return ActivationSplit(source, recipe, random, name).run();
  validate(recipe, name);
  Recipe fixed = recipe;
  fixed.gamma_rule = GammaRule::Fixed;
  fixed.gamma *= spread_of(x);
  return ActivationSplit(source, fixed, random, name).run();
}

QuantizedActivation quantize_activation(Index rows, Index cols, const RowProducer& producer, const Recipe& recipe,
                                        const RandomStream& random, std::string_view name) {
  if (quantises_each_row_alone(recipe))
    return ActivationSplit({rows, cols, nullptr, 0, &producer}, recipe, random, name).run();
  Tensor x(rows, cols);
  parallel_for(rows, row_grain(cols), [&](Index begin, Index end) { producer(begin, end, x.row(begin)); });
  return quantize_activation(std::as_const(x).map(), recipe, random, name);
}

Tensor dequantize(const QuantizedActivation& q) {
  Tensor x = dequantize(q.inliers);
  for (const SparseDigit& d : q.digits) {
    const double step = q.inliers.step(d.row);
    const double inlier = step * q.inliers.code(d.row, d.column);
    const double worth = q.digit_unit != 0 ? step * q.digit_unit : static_cast<double>(q.digit_step);
    x(d.row, d.column) = static_cast<float>(inlier + worth * d.digit);
  }
  return x;
}

}  // namespace fixtune
