#include "fixtune/train/deviation.h"

#include <cmath>

namespace fixtune {

void Deviation::add(ConstMatrixMap actual, ConstMatrixMap expected) {
  if (actual.rows() != expected.rows() || actual.cols() != expected.cols())
    fail("[{}, {}] cannot be compared with [{}, {}]", actual.rows(), actual.cols(), expected.rows(), expected.cols());
  for (Index r = 0; r < actual.rows(); ++r) {
    const auto a = actual.row(r).cast<double>();
    const auto e = expected.row(r).cast<double>();
    difference_ += (a - e).squaredNorm();
    actual_ += a.squaredNorm();
    expected_ += e.squaredNorm();
    product_ += a.dot(e);
  }
}

double Deviation::relative_error() const { return difference_ == 0.0 ? 0.0 : std::sqrt(difference_ / expected_); }

double Deviation::cosine() const {
  return actual_ == 0.0 || expected_ == 0.0 ? 0.0 : product_ / std::sqrt(actual_ * expected_);
}

}  // namespace fixtune
