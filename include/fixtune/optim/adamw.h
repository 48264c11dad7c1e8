#pragma once

#include <span>
#include <string>
#include <vector>

#include "fixtune/optim/parameter.h"

namespace fixtune {

/// AdamW's constants; the defaults are PyTorch's, but for the decay.
struct AdamWOptions {
  double beta1 = 0.9;         ///< share of the first moment that a step keeps, in [0, 1)
  double beta2 = 0.999;       ///< share of the second moment that a step keeps, in [0, 1)
  double epsilon = 1e-8;      ///< added to the corrected root of the second moment, at least 0
  double weight_decay = 0.0;  ///< times the rate: share that a decaying parameter loses at each step, at least 0
};

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2), in the arithmetic of PyTorch.
///
/// At step t, with rate r, decay d (0 for parameters that do not decay) and gradient g, one after the other:
/// \f[ p \leftarrow p - r d\, p, \qquad m \leftarrow m + (1-\beta_1)(g - m), \qquad
/// v \leftarrow \beta_2 v + (1-\beta_2)\, g^2, \f]
/// \f[ p \leftarrow p - \frac{r}{1-\beta_1^t} \cdot \frac{m}{\sqrt v / \sqrt{1-\beta_2^t} + \varepsilon}. \f]
/// As in PyTorch, t counts per parameter, and a parameter that is frozen or has no gradient is skipped. Moments below
/// the smallest normal float become 0.
class AdamW {
 public:
  /// Throws Error if a parameter is empty or an option is out of range.
  explicit AdamW(std::vector<Parameter> parameters, const AdamWOptions& options = {});

  /// Updates every parameter that has a gradient, which is multiplied by `gradient_factor` on the way: clipping
  /// without a pass of its own (measure_gradient_clip). Throws Error if the rate is negative or either not finite,
  /// before anything changes; and naming the parameter that the update made NaN or infinite.
  void step(float learning_rate, float gradient_factor = 1.0F);
  /// Drops all gradients.
  void zero_grad();

  /// Calls of step() so far.
  Index steps() const { return steps_; }
  std::span<const Parameter> parameters() const { return parameters_; }  ///< In the order given; shared with the model.
  /// The parameter's name, or "parameter 3" where it has none.
  std::string name_of(std::size_t parameter) const;
  const AdamWOptions& options() const { return options_; }  ///< As given.

  /// State for checkpoints, one entry per parameter in order; a moment is empty before the parameter's first step.
  ///@{
  std::span<const Tensor> first_moments() const { return first_moments_; }
  std::span<const Tensor> second_moments() const { return second_moments_; }
  ///@}
  /// How many updates each parameter has had: t of the equations.
  std::span<const Index> parameter_steps() const { return parameter_steps_; }
  /// Puts back what the four functions above gave. Throws Error if counts or shapes do not fit the parameters.
  void restore(Index steps, std::vector<Index> parameter_steps, std::vector<Tensor> first_moments,
               std::vector<Tensor> second_moments);

 private:
  std::vector<Parameter> parameters_;
  AdamWOptions options_;
  Index steps_ = 0;
  std::vector<Index> parameter_steps_;
  std::vector<Tensor> first_moments_;
  std::vector<Tensor> second_moments_;
};

}  // namespace fixtune
