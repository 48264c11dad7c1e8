#include "fixtune/optim/adamw.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <utility>

#include "fixtune/core/parallel.h"
#include "optimiser_kernels.h"
#include "parameter_ranges.h"

namespace fixtune {

AdamW::AdamW(std::vector<Parameter> parameters, const AdamWOptions& options)
    : parameters_(std::move(parameters)),
      options_(options),
      parameter_steps_(parameters_.size(), 0),
      first_moments_(parameters_.size()),
      second_moments_(parameters_.size()) {
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    if (!parameters_[i].variable) fail("AdamW: parameter {} is empty", i);
  const auto in_unit = [](double x) { return x >= 0.0 && x < 1.0; };
  if (!in_unit(options.beta1) || !in_unit(options.beta2))
    fail("AdamW: beta1 {} and beta2 {} must be in [0, 1)", options.beta1, options.beta2);
  if (!(options.epsilon >= 0.0) || !(options.weight_decay >= 0.0))
    fail("AdamW: epsilon {} and weight decay {} must not be negative", options.epsilon, options.weight_decay);
}

namespace {

Tensor parallel_zeros(const Tensor& like) {
  Tensor zeros(like.rows(), like.cols());
  parallel_for(zeros.size(), 1 << 15,
               [&](Index begin, Index end) { std::fill(zeros.data() + begin, zeros.data() + end, 0.0F); });
  return zeros;
}

detail::AdamWFactors factors_of(const AdamWOptions& options, double learning_rate, double decay, double t) {
  detail::AdamWFactors factors;
  factors.keep = static_cast<float>(1.0 - learning_rate * decay);
  factors.one_minus_beta1 = static_cast<float>(1.0 - options.beta1);
  factors.beta2 = static_cast<float>(options.beta2);
  factors.one_minus_beta2 = static_cast<float>(1.0 - options.beta2);
  factors.sqrt_correction2 = static_cast<float>(std::sqrt(1.0 - std::pow(options.beta2, t)));
  factors.epsilon = static_cast<float>(options.epsilon);
  factors.step_size = static_cast<float>(learning_rate / (1.0 - std::pow(options.beta1, t)));
  return factors;
}

}  // namespace

void AdamW::step(float learning_rate, float gradient_factor) {
  if (!(learning_rate >= 0.0F) || !std::isfinite(learning_rate))
    fail("AdamW: learning rate {} is not a finite number >= 0", learning_rate);
  if (!std::isfinite(gradient_factor)) fail("AdamW: gradient factor {} is not finite", gradient_factor);
  ++steps_;
  std::vector<detail::AdamWFactors> factors(parameters_.size());
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Parameter& p = parameters_[i];
    if (!p.has_gradient()) continue;
    if (first_moments_[i].empty()) {
      first_moments_[i] = parallel_zeros(p.variable.value());
      second_moments_[i] = parallel_zeros(p.variable.value());
    }
    factors[i] = factors_of(options_, static_cast<double>(learning_rate), p.decay ? options_.weight_decay : 0.0,
                            static_cast<double>(++parameter_steps_[i]));
    factors[i].gradient = gradient_factor;
  }
  const detail::ParameterRanges ranges(
      parameters_, [](const Parameter& p) { return p.has_gradient() ? p.variable.value().size() : 0; });
  std::vector<std::atomic<bool>> not_finite(parameters_.size());
  ranges.parallel(1 << 14, [&](std::size_t i, Index begin, Index end) {
    Variable& p = parameters_[i].variable;
    if (!detail::adamw_update(p.mutable_value().data() + begin, first_moments_[i].data() + begin,
                              second_moments_[i].data() + begin, p.grad().data() + begin, factors[i], end - begin))
      not_finite[i] = true;
  });
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    if (not_finite[i]) fail("the update makes {}, or its second moment, NaN or infinite", name_of(i));
}

std::string AdamW::name_of(std::size_t i) const {
  const std::string& name = parameters_[i].variable.name();
  return name.empty() ? fmt::format("parameter {}", i) : name;
}

void AdamW::zero_grad() {
  for (Parameter& parameter : parameters_) parameter.variable.zero_grad();
}

void AdamW::restore(Index steps, std::vector<Index> parameter_steps, std::vector<Tensor> first_moments,
                    std::vector<Tensor> second_moments) {
  const std::size_t count = parameters_.size();
  if (parameter_steps.size() != count || first_moments.size() != count || second_moments.size() != count)
    fail("AdamW: state of {}, {} and {} parameters for {}", parameter_steps.size(), first_moments.size(),
         second_moments.size(), count);
  for (std::size_t i = 0; i < count; ++i)
    for (const Tensor* moment : {&first_moments[i], &second_moments[i]}) {
      const Variable& p = parameters_[i].variable;
      const bool absent = moment->empty() && parameter_steps[i] == 0;
      if (!absent && (moment->rows() != p.rows() || moment->cols() != p.cols()))
        fail("AdamW: a moment of shape [{}, {}] for {} of shape [{}, {}]", moment->rows(), moment->cols(),
             name_of(i), p.rows(), p.cols());
    }
  steps_ = steps;
  parameter_steps_ = std::move(parameter_steps);
  first_moments_ = std::move(first_moments);
  second_moments_ = std::move(second_moments);
}

}  // namespace fixtune
