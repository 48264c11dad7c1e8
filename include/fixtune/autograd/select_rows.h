#pragma once

#include <span>

#include "fixtune/autograd/tape.h"

namespace fixtune {

/// Takes some rows, such as the first token of each sentence.
///
/// `y[i,:] = x[rows[i],:]`; x `[tokens, hidden]`, y `[rows, hidden]`. Backward: `dx[rows[i],:] += dy[i,:]`.
/// Throws Error if a row is outside x.
Variable select_rows(Tape& tape, const Variable& x, std::span<const Index> rows);

}  // namespace fixtune
