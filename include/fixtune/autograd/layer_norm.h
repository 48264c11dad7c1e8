#pragma once

#include "fixtune/autograd/tape.h"

namespace fixtune {

/// Normalises each row to mean 0 and variance 1, then scales and shifts its columns.
///
/// \f[ y = \frac{x - \operatorname{mean}(x)}{\sqrt{\operatorname{var}(x) + \varepsilon}}\, \gamma + \beta, \f]
/// var over n; x and y `[tokens, hidden]`, gamma and beta `[1, hidden]`. Saves x and two floats per row. The column
/// sums of dgamma and dbeta run over fixed blocks of rows: same bits for any number of threads. Throws Error if the
/// shapes disagree, or naming gamma and the row where x holds NaN or infinity or its variance overflows.
Variable layer_norm(Tape& tape, const Variable& x, const Variable& gamma, const Variable& beta, float epsilon);

}  // namespace fixtune
