#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <vector>

#include "fixtune/autograd/tape.h"
#include "fixtune/core/random.h"
#include "on_threads.h"

namespace fixtune::test {

/// Uniform in [-scale, scale), the same for the same id.
inline Tensor random_tensor(Index rows, Index cols, std::uint64_t id, float scale = 1.0F) {
  const RandomStream stream(RandomKey{.seed = 11}, id);
  Tensor t(rows, cols);
  for (Index i = 0; i < t.size(); ++i) t.data()[i] = scale * (2.0F * stream.uniform(static_cast<std::uint64_t>(i)) - 1.0F);
  return t;
}

inline void expect_near(const Tensor& a, const Tensor& b, double tolerance) {
  ASSERT_EQ(a.rows(), b.rows());
  ASSERT_EQ(a.cols(), b.cols());
  for (Index r = 0; r < a.rows(); ++r)
    for (Index c = 0; c < a.cols(); ++c) ASSERT_NEAR(a(r, c), b(r, c), tolerance) << "at " << r << ", " << c;
}

inline bool same_bits(const Tensor& a, const Tensor& b) {
  return a.rows() == b.rows() && a.cols() == b.cols() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.bytes()) == 0);
}

/// sum(y * weight) as the last operation, so that the gradient of y is `weight`.
inline Variable weighted_sum(Tape& tape, const Variable& y, const Tensor& weight) {
  double sum = 0.0;
  for (Index i = 0; i < weight.size(); ++i)
    sum += static_cast<double>(y.value().data()[i]) * static_cast<double>(weight.data()[i]);
  Variable loss(Tensor::filled(1, 1, static_cast<float>(sum)), tape.records(y));
  tape.record([gradient = loss.gradient(), y_gradient = y.gradient(), weight] {
    Tensor dy = weight;
    const float factor = gradient->take()(0, 0);
    for (float* p = dy.data(); p != dy.data() + dy.size(); ++p) *p *= factor;
    y_gradient->accumulate(std::move(dy));
  });
  return loss;
}

using Operation = std::function<Variable(Tape&, const std::vector<Variable>&)>;

struct Run {
  Tensor output;
  std::vector<Tensor> gradients;  ///< of the inputs, empty where frozen
};

/// Forward and backward with the gradient of the output set to `weight`; `frozen` is a bit per input.
inline Run run(const Operation& operation, const std::vector<Tensor>& inputs, const Tensor& weight,
               unsigned frozen = 0) {
  std::vector<Variable> variables;
  for (std::size_t i = 0; i < inputs.size(); ++i) variables.emplace_back(inputs[i], ((frozen >> i) & 1U) == 0);
  Tape tape;
  const Variable y = operation(tape, variables);
  tape.backward(weighted_sum(tape, y, weight));
  Run result{y.value(), {}};
  for (const Variable& v : variables) result.gradients.push_back(v.grad());
  return result;
}

/// sum(y * weight) in double.
inline double evaluate(const Operation& operation, const std::vector<Tensor>& inputs, const Tensor& weight) {
  std::vector<Variable> variables;
  for (const Tensor& t : inputs) variables.emplace_back(t);
  Tape tape(/*recording=*/false);
  const Variable y = operation(tape, variables);
  double sum = 0.0;
  for (Index i = 0; i < weight.size(); ++i)
    sum += static_cast<double>(y.value().data()[i]) * static_cast<double>(weight.data()[i]);
  return sum;
}

/// Holds every gradient against central differences, in every combination of frozen inputs, on 1 and 2 threads.
inline void check_gradients(const Operation& operation, const std::vector<Tensor>& inputs, double tolerance = 3e-3,
                            float epsilon = 4e-3F) {
  Tape unused(/*recording=*/false);
  std::vector<Variable> constants;
  for (const Tensor& t : inputs) constants.emplace_back(t);
  const Variable y = operation(unused, constants);
  const Tensor weight = random_tensor(y.rows(), y.cols(), 99);

  const OnThreads one(1);
  const Run base = run(operation, inputs, weight);
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    ASSERT_EQ(base.gradients[k].size(), inputs[k].size());
    for (Index i = 0; i < inputs[k].size(); ++i) {
      std::vector<Tensor> moved = inputs;
      float& x = moved[k].data()[i];
      const float centre = x;
      x = centre + epsilon;
      const double above = x;
      const double high = evaluate(operation, moved, weight);
      x = centre - epsilon;
      const double below = x;
      const double low = evaluate(operation, moved, weight);
      ASSERT_NEAR(base.gradients[k].data()[i], (high - low) / (above - below), tolerance)
          << "input " << k << ", element " << i;
    }
  }

  for (const int threads : {1, 2, 4}) {
    const OnThreads use(threads);
    for (unsigned frozen = 0; frozen + 1 < (1U << inputs.size()); ++frozen) {
      const Run other = run(operation, inputs, weight, frozen);
      EXPECT_TRUE(same_bits(base.output, other.output));
      for (std::size_t k = 0; k < inputs.size(); ++k) {
        if (((frozen >> k) & 1U) != 0)
          EXPECT_TRUE(other.gradients[k].empty());
        else
          EXPECT_TRUE(same_bits(base.gradients[k], other.gradients[k])) << "input " << k << ", frozen " << frozen;
      }
    }
  }
}

}  // namespace fixtune::test
