#include "fixtune/optim/adamw.h"

#include <cmath>
#include <utility>

#include "fixtune/core/parallel.h"
#include "optimiser_kernels.h"

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

void AdamW::step(float learning_rate) {
  if (!(learning_rate >= 0.0F) || !std::isfinite(learning_rate))
    fail("AdamW: learning rate {} is not a finite number >= 0", learning_rate);
  ++steps_;
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    if (parameters_[i].has_gradient()) update(i, static_cast<double>(learning_rate));
}

void AdamW::update(std::size_t index, double learning_rate) {
  Parameter& parameter = parameters_[index];
  Tensor& p = parameter.variable.mutable_value();
  const Tensor& g = parameter.variable.grad();
  Tensor& m = first_moments_[index];
  Tensor& v = second_moments_[index];
  if (m.empty()) {
    m = Tensor::zeros(p.rows(), p.cols());
    v = Tensor::zeros(p.rows(), p.cols());
  }
  const auto t = static_cast<double>(++parameter_steps_[index]);
  const double decay = parameter.decay ? options_.weight_decay : 0.0;
  detail::AdamWFactors factors;
  factors.keep = static_cast<float>(1.0 - learning_rate * decay);
  factors.one_minus_beta1 = static_cast<float>(1.0 - options_.beta1);
  factors.beta2 = static_cast<float>(options_.beta2);
  factors.one_minus_beta2 = static_cast<float>(1.0 - options_.beta2);
  factors.sqrt_correction2 = static_cast<float>(std::sqrt(1.0 - std::pow(options_.beta2, t)));
  factors.epsilon = static_cast<float>(options_.epsilon);
  factors.step_size = static_cast<float>(learning_rate / (1.0 - std::pow(options_.beta1, t)));
  parallel_for(p.size(), 1 << 14, [&](Index begin, Index end) {
    detail::adamw_update(p.data() + begin, m.data() + begin, v.data() + begin, g.data() + begin, factors, end - begin);
  });
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
             p.name().empty() ? fmt::format("parameter {}", i) : p.name(), p.rows(), p.cols());
    }
  steps_ = steps;
  parameter_steps_ = std::move(parameter_steps);
  first_moments_ = std::move(first_moments);
  second_moments_ = std::move(second_moments);
}

}  // namespace fixtune
