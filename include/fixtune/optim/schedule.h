#pragma once

#include "fixtune/core/aligned_buffer.h"

namespace fixtune {

/// Learning rate of step `step` (from 0): a linear rise over the warm-up, then a linear fall to 0 at `total`.
///
/// \f$ r\, t / \max(1, w) \f$ while t < w, then \f$ r \max\bigl(0,\ (T - t) / \max(1, T - w)\bigr) \f$, with
/// r = `peak`, t = `step`, w = `warmup`, T = `total`, as transformers' get_linear_schedule_with_warmup. Finite for
/// every input, also where warmup >= total.
float linear_schedule(Index step, Index warmup, Index total, float peak);

/// Steps of a warm-up given as a number of steps, or, below 1, as a share of all steps (rounded up).
/// Throws Error for a number below 0, and for one above 1 that is not whole.
Index warmup_steps(double warmup, Index total);

}  // namespace fixtune
