#pragma once

#include <span>

#include "fixtune/optim/parameter.h"

namespace fixtune {

/// The common 2-norm of all gradients, and what clipping multiplies them by.
struct GradientClip {
  float norm = 0.0F;    ///< before clipping; 0 where there is no gradient
  float factor = 1.0F;  ///< `min(1, max_norm / (norm + 1e-6))`; 1 if max_norm <= 0
};

/// Measures in one pass and changes nothing; AdamW::step takes the factor.
///
/// The squares are summed in double over fixed blocks in fixed order: same bits for any number of threads. Throws
/// Error, naming the parameter, if a gradient holds NaN or infinity.
GradientClip measure_gradient_clip(std::span<const Parameter> parameters, float max_norm);

/// Scales all gradients so that their common 2-norm is at most `max_norm`; returns the norm before that.
///
/// \f$ g \leftarrow g \cdot \min\bigl(1,\ c / (\lVert g \rVert + 10^{-6})\bigr) \f$, c = `max_norm`, as
/// torch.nn.utils.clip_grad_norm_. With `max_norm <= 0` it only measures. Throws Error as measure_gradient_clip; no
/// gradient is changed then.
float clip_gradient_norm(std::span<const Parameter> parameters, float max_norm);

}  // namespace fixtune
