#include "fixtune/quant/information.h"

#include <cmath>
#include <limits>

namespace fixtune {
namespace {

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

/// The moments of one row's elements that belong to a part; two readings, so that nothing cancels.
template <typename Belongs>
Moments moments_of(const float* values, Index count, Belongs belongs) {
  Moments m;
  double sum = 0.0;
  for (Index i = 0; i < count; ++i) {
    if (!belongs(i)) continue;
    m.count += 1.0;
    sum += values[i];
  }
  if (m.count == 0.0) return m;
  m.mean = sum / m.count;
  for (Index i = 0; i < count; ++i)
    if (belongs(i)) m.squares += (values[i] - m.mean) * (values[i] - m.mean);
  return m;
}

double ratio(double above, double below) { return above == 0.0 && below == 0.0 ? undefined : above / below; }

}  // namespace

void Moments::add(const Moments& other) {
  const double total = count + other.count;
  if (total == 0.0) return;
  const double difference = other.mean - mean;
  mean += difference * other.count / total;
  squares += other.squares + difference * difference * count * other.count / total;
  count = total;
}

Moments Mixture::whole() const {
  Moments all = inliers;
  all.add(outliers);
  return all;
}

double Mixture::share() const { return ratio(inliers.count, inliers.count + outliers.count); }

double Mixture::variance_within() const {
  return ratio(inliers.squares + outliers.squares, inliers.count + outliers.count);
}

double Mixture::variance_between() const {
  const double difference = inliers.mean - outliers.mean;
  return share() * (1.0 - share()) * difference * difference;
}

void Mixture::add(const Mixture& other) {
  inliers.add(other.inliers);
  outliers.add(other.outliers);
}

Mixture mixture_of(ConstMatrixMap x, float gamma) { return mixture_of(x, x, gamma); }

Mixture mixture_of(ConstMatrixMap values, ConstMatrixMap x, float gamma) {
  if (values.rows() != x.rows() || values.cols() != x.cols())
    fail("values [{}, {}] cannot be split as [{}, {}]", values.rows(), values.cols(), x.rows(), x.cols());
  Mixture mixture;
  for (Index r = 0; r < x.rows(); ++r) {
    const float* row = x.data() + r * x.outerStride();
    const float* value = values.data() + r * values.outerStride();
    mixture.inliers.add(moments_of(value, x.cols(), [&](Index i) { return std::abs(row[i]) <= gamma; }));
    mixture.outliers.add(moments_of(value, x.cols(), [&](Index i) { return !(std::abs(row[i]) <= gamma); }));
  }
  return mixture;
}

void InformationLoss::add(const InformationLoss& other) {
  original.add(other.original);
  quantised.add(other.quantised);
  error.add(other.error);
}

InformationLoss information_loss(ConstMatrixMap x, ConstMatrixMap quantised, float gamma) {
  InformationLoss loss{mixture_of(x, gamma), mixture_of(quantised, x, gamma), {}};
  const Matrix delta = quantised - x;
  loss.error = mixture_of({delta.data(), delta.rows(), delta.cols(), Eigen::OuterStride<>(delta.cols())}, x, gamma);
  return loss;
}

double sensitivity_ratio(const Moments& original, const Moments& quantised) {
  return ratio(original.variance(), quantised.variance());
}

double uncorrelated_sensitivity_ratio(const Moments& original, const Moments& error) {
  return ratio(original.variance(), original.variance() + error.variance());
}

double error_correlation(const Moments& original, const Moments& quantised, const Moments& error) {
  const double product = original.variance() * error.variance();
  if (product == 0.0) return 0.0;
  return (quantised.variance() - original.variance() - error.variance()) / (2.0 * std::sqrt(product));
}

double chapman_robbins_bound(double shift, double variance_q) { return ratio(shift * shift, variance_q); }

double even_error_variance(double step, Rounding rounding) {
  return step * step / (rounding == Rounding::Nearest ? 12.0 : 6.0);
}

double even_error_variance(const QuantizedActivation& q, Rounding rounding) {
  double sum = 0.0;
  for (Index r = 0; r < q.inliers.rows; ++r)
    sum += static_cast<double>(q.inliers.cols) * even_error_variance(q.inliers.step(r), rounding);
  // A unified scale's outliers are rounded by their own step; a tiled split's by that of their remainder.
  if (q.treatment == OutlierTreatment::UnifiedScale)
    for (const SparseDigit& d : q.digits)
      sum += even_error_variance(q.digit_step, rounding) - even_error_variance(q.inliers.step(d.row), rounding);
  return ratio(sum, static_cast<double>(q.inliers.rows * q.inliers.cols));
}

}  // namespace fixtune
