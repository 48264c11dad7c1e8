#pragma once

#include <span>

#include "fixtune/optim/parameter.h"

namespace fixtune {

/// Scales all gradients so that their common 2-norm is at most `max_norm`; returns the norm before that.
///
/// `g *= min(1, max_norm / (norm + 1e-6))`, as torch.nn.utils.clip_grad_norm_. The squares are summed in double
/// over fixed blocks in fixed order: same bits for any number of threads. With `max_norm <= 0` it only measures.
/// Throws Error, naming the parameter, if a gradient holds NaN or infinity; no gradient is changed then.
float clip_gradient_norm(std::span<const Parameter> parameters, float max_norm);

}  // namespace fixtune
