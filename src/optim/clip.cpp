#include "fixtune/optim/clip.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "fixtune/core/parallel.h"
#include "optimiser_kernels.h"
#include "parameter_ranges.h"

namespace fixtune {

namespace {

constexpr Index block = 4096;

/// Sum of squares of each parameter's gradient, 0 where there is none.
std::vector<double> sums_of_squares(std::span<const Parameter> parameters) {
  std::vector<double> sums(parameters.size(), 0.0);
  const auto blocks_of = [](const Parameter& p) {
    return p.has_gradient() ? (p.variable.grad().size() + block - 1) / block : 0;
  };
  const detail::ParameterRanges ranges(parameters, blocks_of);
  std::vector<double> partial(static_cast<std::size_t>(ranges.total()));
  ranges.parallel(8, [&](std::size_t i, Index begin, Index end) {
    const Tensor& g = parameters[i].variable.grad();
    double* out = partial.data() + ranges.start(i);
    for (Index b = begin; b < end; ++b)
      out[b] = detail::sum_of_squares(g.data() + b * block, std::min(block, g.size() - b * block));
  });
  for (std::size_t i = 0; i < parameters.size(); ++i)
    for (Index b = ranges.start(i); b < ranges.start(i + 1); ++b) sums[i] += partial[static_cast<std::size_t>(b)];
  return sums;
}

}  // namespace

GradientClip measure_gradient_clip(std::span<const Parameter> parameters, float max_norm) {
  const std::vector<double> sums = sums_of_squares(parameters);
  double squares = 0.0;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    // The squares of finite floats never overflow a double, so this sees exactly NaN and infinity.
    if (!std::isfinite(sums[i])) {
      const std::string& name = parameters[i].variable.name();
      fail("the gradient of {} is not finite", name.empty() ? fmt::format("parameter {}", i) : name);
    }
    squares += sums[i];
  }
  const double norm = std::sqrt(squares);
  const auto factor = static_cast<float>(static_cast<double>(max_norm) / (norm + 1e-6));
  return {static_cast<float>(norm), max_norm > 0.0F ? std::min(factor, 1.0F) : 1.0F};
}

float clip_gradient_norm(std::span<const Parameter> parameters, float max_norm) {
  const GradientClip clip = measure_gradient_clip(parameters, max_norm);
  if (clip.factor < 1.0F)
    for (const Parameter& parameter : parameters) {
      if (!parameter.has_gradient()) continue;
      Tensor& g = parameter.variable.gradient()->value;
      parallel_for(g.size(), 1 << 15, [&](Index begin, Index end) {
        detail::multiply(g.data() + begin, clip.factor, end - begin);
      });
    }
  return clip.norm;
}

}  // namespace fixtune
