#include "linear/output_gradient.h"

#include <algorithm>
#include <string>

#include "fixtune/core/parallel.h"

namespace fixtune {
namespace {

std::string gradient_name(const LinearContext& context) { return std::string(context.name) + ".output gradient"; }

Tensor scaled_columns(ConstMatrixMap dy, const std::vector<float>& scale) {
  Tensor scaled(dy.rows(), dy.cols());
  const Eigen::Map<const Eigen::ArrayXf> factors(scale.data(), static_cast<Index>(scale.size()));
  parallel_for(dy.rows(), 32, [&](Index begin, Index end) {
    for (Index m = begin; m < end; ++m)
      scaled.map().row(m).array() = dy.row(m).array() * factors.transpose();
  });
  return scaled;
}

/// dY^T, row n scaled element by element with `scale[m]` where given. In tiles, so that both sides stay in cache.
Tensor scaled_transpose(ConstMatrixMap dy, const std::vector<float>* scale) {
  constexpr Index tile = 32;
  Tensor transposed(dy.cols(), dy.rows());
  parallel_for((dy.cols() + tile - 1) / tile, 1, [&](Index begin, Index end) {
    for (Index n0 = begin * tile; n0 < std::min(end * tile, dy.cols()); n0 += tile)
      for (Index m0 = 0; m0 < dy.rows(); m0 += tile)
        for (Index n = n0; n < std::min(n0 + tile, dy.cols()); ++n)
          for (Index m = m0; m < std::min(m0 + tile, dy.rows()); ++m)
            transposed(n, m) = scale == nullptr ? dy(m, n) : dy(m, n) * (*scale)[static_cast<std::size_t>(m)];
  });
  return transposed;
}

ConstMatrixMap view(const Tensor& t) { return t.map(); }

}  // namespace

FixedPointTensor quantize_for_input_gradient(ConstMatrixMap dy, const QuantizedWeight& weight,
                                             const LinearContext& context) {
  const Recipe& recipe = weight.recipe;
  const RandomStream random = context.stream("dy.dx");
  if (recipe.block == Block::Row && recipe.backward == BackwardCodes::Folded)
    return quantize(view(scaled_columns(dy, weight.codes.steps)), recipe.format(), random, gradient_name(context));
  return quantize(dy, recipe.format(), random, gradient_name(context));
}

FixedPointTensor quantize_for_weight_gradient(ConstMatrixMap dy, const LinearInput& saved, const Recipe& recipe,
                                              const LinearContext& context) {
  const bool fold = recipe.block == Block::Row && !saved.backward_by_column;
  const Tensor transposed = scaled_transpose(dy, fold ? &saved.backward->inliers.steps : nullptr);
  return quantize(view(transposed), recipe.format(), context.stream("dy.dw"), gradient_name(context));
}

Tensor bias_gradient(ConstMatrixMap dy, const Recipe& recipe, const LinearContext& context) {
  Tensor db = Tensor::zeros(1, dy.cols());
  if (recipe.integer_bias_gradient && recipe.arithmetic == Arithmetic::Integer) {
    const FixedPointTensor codes = quantize(view(scaled_transpose(dy, nullptr)), recipe.format(),
                                            context.stream("dy.db"), gradient_name(context));
    for (Index n = 0; n < codes.rows; ++n) {
      std::int64_t sum = 0;
      for (Index m = 0; m < codes.cols; ++m) sum += codes.codes8[n * codes.cols + m];
      db(0, n) = static_cast<float>(sum) * codes.step(n);
    }
    return db;
  }
  // Threads own columns, so that every sum runs over the tokens in order whatever their number.
  parallel_for(dy.cols(), 64, [&](Index begin, Index end) {
    auto sum = db.map().middleCols(begin, end - begin);
    for (Index m = 0; m < dy.rows(); ++m) sum += dy.row(m).segment(begin, end - begin);
  });
  return db;
}

}  // namespace fixtune
