#include "inspect/figures.h"

#include <algorithm>
#include <cmath>

#include "fixtune/gemm/float_product.h"
#include "fixtune/linear/linear.h"
#include "fixtune/quant/code_planes.h"
#include "fixtune/train/deviation.h"

namespace fixtune::inspect {
namespace {

RandomStream stream_of(std::uint64_t seed, std::string_view name) {
  return RandomStream({seed, 0, 0}, tensor_id(std::string(name).c_str()));
}

double relative_error(const Tensor& actual, ConstMatrixMap expected) {
  Deviation deviation;
  deviation.add(actual.map(), expected);
  return deviation.relative_error();
}

double root_mean_square(ConstMatrixMap x) {
  return x.size() == 0 ? 0.0 : std::sqrt(x.cast<double>().squaredNorm() / static_cast<double>(x.size()));
}

/// Above which the elements of a row are outliers.
float threshold_of(ConstMatrixMap x, Index row, const Recipe& recipe, double tensor_rms) {
  switch (recipe.gamma_rule) {
    case GammaRule::TensorRms:
      return static_cast<float>(recipe.gamma * tensor_rms);
    case GammaRule::RowRms:
      return static_cast<float>(recipe.gamma * root_mean_square({x.row(row).data(), 1, x.cols(), x.outerStride()}));
    case GammaRule::Fixed:
      break;
  }
  return recipe.gamma;
}

void add_row(const float* x, float threshold, InputFigures& figures, std::vector<Index>& outliers) {
  for (Index c = 0; c < figures.columns; ++c) {
    const float magnitude = std::abs(x[c]);
    float& largest = figures.column_largest[static_cast<std::size_t>(c)];
    largest = std::max(largest, magnitude);
    figures.histogram.add(magnitude);
    if (magnitude > threshold) ++outliers[static_cast<std::size_t>(c)];
  }
}

void keep_outlier_columns(const std::vector<Index>& outliers, InputFigures& figures) {
  for (std::size_t c = 0; c < outliers.size(); ++c) {
    figures.outliers += outliers[c];
    if (outliers[c] > 0)
      figures.outlier_columns.push_back({static_cast<Index>(c), outliers[c], figures.column_largest[c]});
  }
  std::stable_sort(figures.outlier_columns.begin(), figures.outlier_columns.end(),
                   [](const OutlierColumn& a, const OutlierColumn& b) { return a.outliers > b.outliers; });
}

double share(Index part, Index whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

void Histogram::add(float magnitude) {
  const int exponent = magnitude > 0.0F ? std::ilogb(magnitude) : lowest;
  ++counts[std::clamp(exponent - lowest, 0, ranges - 1)];
}

double InputFigures::element_share() const { return share(outliers, tokens * columns); }
double InputFigures::column_share() const { return share(static_cast<Index>(outlier_columns.size()), columns); }

InputFigures input_figures(std::string_view name, ConstMatrixMap x, const Recipe& recipe, std::uint64_t seed) {
  InputFigures figures;
  figures.name = name;
  figures.tokens = x.rows();
  figures.columns = x.cols();
  figures.column_largest.assign(static_cast<std::size_t>(x.cols()), 0.0F);
  const double rms = root_mean_square(x);
  std::vector<Index> outliers(static_cast<std::size_t>(x.cols()), 0);
  for (Index r = 0; r < x.rows(); ++r) {
    const float threshold = threshold_of(x, r, recipe, rms);
    figures.threshold = r == 0 ? threshold : std::min(figures.threshold, threshold);
    add_row(x.row(r).data(), threshold, figures, outliers);
  }
  keep_outlier_columns(outliers, figures);
  for (const float largest : figures.column_largest) figures.largest = std::max(figures.largest, largest);
  if (recipe.arithmetic != Arithmetic::Integer) return figures;
  const QuantizedActivation q = quantize_activation(x, recipe, stream_of(seed, name), name);
  figures.step = q.statistics.step;
  figures.error = relative_error(dequantize(q), x);
  return figures;
}

double rounding_error(std::string_view name, ConstMatrixMap values, const Format& format, float outliers_above,
                      std::uint64_t seed) {
  const CodePlanes planes = quantize_in_planes(values, format, outliers_above, stream_of(seed, name), name);
  Tensor rounded = dequantize(planes.low);
  for (Index i = 0; i < planes.high.codes.size(); ++i)
    rounded.data()[i] +=
        planes.low.step(i / rounded.cols()) * planes.high.unit * static_cast<float>(planes.high.codes[i]);
  return relative_error(rounded, values);
}

double product_error(std::string_view name, ConstMatrixMap x, ConstMatrixMap w, const Recipe& recipe,
                     std::uint64_t seed) {
  LinearContext context;
  context.name = name;
  context.random = {seed, 0, 0};
  context.save = false;
  const QuantizedWeight weight = prepare_weight(w, recipe, context);
  Tensor exact(x.rows(), w.rows());
  float_product(FloatKind::FP32, x, Transpose::No, w, Transpose::Yes, exact.map());
  return relative_error(linear_forward(x, weight, nullptr, context).y, std::as_const(exact).map());
}

}  // namespace fixtune::inspect
