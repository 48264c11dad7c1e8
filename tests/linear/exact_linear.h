#pragma once

#include <gtest/gtest.h>

#include <ostream>
#include <random>
#include <string>

#include "fixtune/linear/linear.h"

namespace fixtune {
/// How GoogleTest names a recipe.
inline void PrintTo(const Recipe& recipe, std::ostream* out) { *out << recipe.name; }
}  // namespace fixtune

namespace fixtune::testing {

using MatrixD = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Normal values; every `outlier_every`-th is multiplied by 30 (0: none).
inline Tensor random_tensor(Index rows, Index cols, unsigned seed, Index outlier_every = 0) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  Tensor t(rows, cols);
  for (Index i = 0; i < t.size(); ++i) {
    t.data()[i] = normal(generator);
    if (outlier_every > 0 && i % outlier_every == 3) t.data()[i] *= 30.0F;
  }
  return t;
}

inline MatrixD as_double(const FixedPointTensor& q) {
  MatrixD x(q.rows, q.cols);
  for (Index r = 0; r < q.rows; ++r)
    for (Index c = 0; c < q.cols; ++c) x(r, c) = static_cast<double>(q.step(r)) * q.code(r, c);
  return x;
}

/// Both planes of a matrix, where it has two.
inline MatrixD as_double(const FixedPointTensor& low, const HighPlane& high) {
  MatrixD x = as_double(low);
  if (!high.empty())
    for (Index i = 0; i < x.size(); ++i)
      x.data()[i] += static_cast<double>(low.step(i / low.cols)) * high.unit * high.codes[i];
  return x;
}

/// What the integers of an activation stand for, in double precision, straight from Eq. 1 and Eq. 2.
inline MatrixD as_double(const QuantizedActivation& q) {
  MatrixD x = as_double(q.inliers);
  for (const SparseDigit& d : q.digits) {
    const double worth = q.digit_unit != 0 ? static_cast<double>(q.inliers.step(d.row)) * q.digit_unit
                                           : static_cast<double>(q.digit_step);
    x(d.row, d.column) += worth * d.digit;
  }
  return x;
}

inline ConstMatrixMap view(const Tensor& t) { return t.map(); }

/// Largest difference, relative to the largest magnitude of `expected`.
inline double relative_difference(const Tensor& actual, const MatrixD& expected) {
  const MatrixD difference = actual.map().cast<double>() - expected;
  return difference.cwiseAbs().maxCoeff() / std::max(1e-30, expected.cwiseAbs().maxCoeff());
}

}  // namespace fixtune::testing
