#pragma once

#include "sgemm.h"

namespace fixtune::detail {

/// Extents of an operand as stored.
struct Stored {
  Index rows, cols;
};
inline Stored stored_a(const SgemmArguments& s) {
  return s.transpose_a == Transpose::Yes ? Stored{s.k, s.m} : Stored{s.m, s.k};
}
inline Stored stored_b(const SgemmArguments& s) {
  return s.transpose_b == Transpose::Yes ? Stored{s.n, s.k} : Stored{s.k, s.n};
}

}  // namespace fixtune::detail
