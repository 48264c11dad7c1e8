#include "fixtune/optim/clip.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "fixtune/core/parallel.h"
#include "optimiser_kernels.h"

namespace fixtune {

namespace {

constexpr Index block = 4096;

double sum_of_squares(const Tensor& g, std::vector<double>& partial) {
  const Index blocks = (g.size() + block - 1) / block;
  partial.assign(static_cast<std::size_t>(blocks), 0.0);
  parallel_for(blocks, 8, [&](Index begin, Index end) {
    for (Index b = begin; b < end; ++b)
      partial[static_cast<std::size_t>(b)] =
          detail::sum_of_squares(g.data() + b * block, std::min(block, g.size() - b * block));
  });
  double sum = 0.0;
  for (const double p : partial) sum += p;
  return sum;
}

}  // namespace

float clip_gradient_norm(std::span<const Parameter> parameters, float max_norm) {
  std::vector<double> partial;
  double squares = 0.0;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (!parameters[i].has_gradient()) continue;
    const double sum = sum_of_squares(parameters[i].variable.grad(), partial);
    // The squares of finite floats never overflow a double, so this sees exactly NaN and infinity.
    if (!std::isfinite(sum)) {
      const std::string& name = parameters[i].variable.name();
      fail("the gradient of {} is not finite", name.empty() ? fmt::format("parameter {}", i) : name);
    }
    squares += sum;
  }
  const double norm = std::sqrt(squares);
  const auto coefficient = static_cast<float>(static_cast<double>(max_norm) / (norm + 1e-6));
  if (max_norm > 0.0F && coefficient < 1.0F)
    for (const Parameter& parameter : parameters) {
      if (!parameter.has_gradient()) continue;
      Tensor& g = parameter.variable.gradient()->value;
      parallel_for(g.size(), 1 << 15, [&](Index begin, Index end) {
        detail::multiply(g.data() + begin, coefficient, end - begin);
      });
    }
  return static_cast<float>(norm);
}

}  // namespace fixtune
