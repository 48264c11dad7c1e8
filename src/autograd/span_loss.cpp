#include "fixtune/autograd/span_loss.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace fixtune {
namespace {

/// One softmax of the loss: the tokens [begin, end) of a window, a column of the logits, and the token it should choose.
struct Choice {
  Index begin = 0;
  Index end = 0;
  Index column = 0;
  Index target = 0;
};

double log_sum_exp(const Tensor& logits, const Choice& choice) {
  double largest = logits(choice.begin, choice.column);
  for (Index t = choice.begin; t < choice.end; ++t)
    largest = std::max(largest, static_cast<double>(logits(t, choice.column)));
  double sum = 0.0;
  for (Index t = choice.begin; t < choice.end; ++t) sum += std::exp(logits(t, choice.column) - largest);
  return largest + std::log(sum);
}

std::vector<Choice> choices(std::span<const Index> offsets, std::span<const std::int32_t> first,
                            std::span<const std::int32_t> last) {
  if (first.size() != last.size() || offsets.size() != first.size() + 1)
    fail("{} first and {} last tokens for {} offsets", first.size(), last.size(), offsets.size());
  std::vector<Choice> all;
  for (std::size_t s = 0; s < first.size(); ++s) {
    const std::array<std::int32_t, 2> targets{first[s], last[s]};
    for (std::size_t column = 0; column < targets.size(); ++column) {
      const Choice choice{offsets[s], offsets[s + 1], static_cast<Index>(column), offsets[s] + targets[column]};
      if (targets[column] < 0 || choice.target >= choice.end)
        fail("token {} is outside the {} tokens of window {}", targets[column], choice.end - choice.begin, s);
      all.push_back(choice);
    }
  }
  return all;
}

Tensor gradient_of_choices(const Tensor& logits, const std::vector<Choice>& choices, double factor) {
  Tensor d = Tensor::zeros(logits.rows(), logits.cols());
  for (const Choice& choice : choices) {
    const double normaliser = log_sum_exp(logits, choice);
    for (Index t = choice.begin; t < choice.end; ++t) {
      const double target = t == choice.target ? 1.0 : 0.0;
      d(t, choice.column) = static_cast<float>((std::exp(logits(t, choice.column) - normaliser) - target) * factor);
    }
  }
  return d;
}

}  // namespace

Variable span_cross_entropy(Tape& tape, const Variable& logits, std::span<const Index> offsets,
                            std::span<const std::int32_t> first, std::span<const std::int32_t> last) {
  std::vector<Choice> all = choices(offsets, first, last);
  if (logits.cols() != 2 || logits.rows() != offsets.back())
    fail("logits of shape [{}, {}] for {} tokens and 2 ends", logits.rows(), logits.cols(), offsets.back());
  double sum = 0.0;
  for (const Choice& choice : all)
    sum += log_sum_exp(logits.value(), choice) - static_cast<double>(logits.value()(choice.target, choice.column));
  const double count = static_cast<double>(std::max<std::size_t>(all.size(), 1));
  const bool records = tape.records(logits);
  Variable loss(Tensor::filled(1, 1, static_cast<float>(sum / count)), records);
  if (!records) return loss;

  const std::size_t bytes = all.size() * sizeof(Choice);
  tape.record(
      [value = logits.shared_value(), all = std::move(all), count, logits_gradient = logits.gradient(),
       gradient = loss.gradient()] {
        const Tensor dy = gradient->take();
        if (dy.empty() || !logits_gradient->required) return;
        logits_gradient->accumulate(gradient_of_choices(*value, all, static_cast<double>(dy(0, 0)) / count));
      },
      {logits.shared_value()}, bytes);
  return loss;
}

}  // namespace fixtune
