#pragma once

#include "fixtune/core/tensor.h"

namespace fixtune {

/// How far numbers are from others they should equal, summed over any number of tensors in double precision.
class Deviation {
 public:
  /// Throws Error when shapes disagree.
  void add(ConstMatrixMap actual, ConstMatrixMap expected);

  /// \f$ \lVert A - E \rVert / \lVert E \rVert \f$ of actual A and expected E in Frobenius norms; infinite where only E
  /// is 0, 0 where both are.
  double relative_error() const;
  /// \f$ \langle A, E \rangle / (\lVert A \rVert\, \lVert E \rVert) \f$; 0 where either is 0.
  double cosine() const;

 private:
  double difference_ = 0.0;  ///< squared norms
  double actual_ = 0.0;
  double expected_ = 0.0;
  double product_ = 0.0;
};

}  // namespace fixtune
