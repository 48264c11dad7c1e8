#include "fixtune/autograd/loss.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace fixtune {

namespace {

// log sum exp of a row, safe for any magnitude.
double log_sum_exp(const float* row, Index count) {
  const double largest = *std::max_element(row, row + count);
  double sum = 0.0;
  for (Index c = 0; c < count; ++c) sum += std::exp(row[c] - largest);
  return largest + std::log(sum);
}

Tensor cross_entropy_gradient(const Tensor& logits, const std::vector<std::int32_t>& labels, std::int32_t ignore,
                              double factor) {
  Tensor d = Tensor::zeros(logits.rows(), logits.cols());
  for (Index r = 0; r < logits.rows(); ++r) {
    const std::int32_t label = labels[static_cast<std::size_t>(r)];
    if (label == ignore) continue;
    const double normaliser = log_sum_exp(logits.row(r), logits.cols());
    for (Index c = 0; c < logits.cols(); ++c)
      d(r, c) = static_cast<float>((std::exp(logits(r, c) - normaliser) - (c == label ? 1.0 : 0.0)) * factor);
  }
  return d;
}

}  // namespace

Variable cross_entropy(Tape& tape, const Variable& logits, std::span<const std::int32_t> labels,
                       std::int32_t ignore) {
  const Index rows = logits.rows();
  const Index classes = logits.cols();
  if (static_cast<Index>(labels.size()) != rows) fail("{} labels for {} rows of logits", labels.size(), rows);
  double sum = 0.0;
  Index count = 0;
  for (Index r = 0; r < rows; ++r) {
    const std::int32_t label = labels[static_cast<std::size_t>(r)];
    if (label == ignore) continue;
    if (label < 0 || label >= classes) fail("label {} of row {} is outside the {} classes", label, r, classes);
    sum += log_sum_exp(logits.value().row(r), classes) - static_cast<double>(logits.value()(r, label));
    ++count;
  }
  const bool records = tape.records(logits);
  Variable loss(Tensor::filled(1, 1, count == 0 ? 0.0F : static_cast<float>(sum / static_cast<double>(count))),
                records);
  if (!records) return loss;

  tape.record(
      [value = logits.shared_value(), saved_labels = std::vector<std::int32_t>(labels.begin(), labels.end()), ignore,
       count, logits_gradient = logits.gradient(), gradient = loss.gradient()] {
        const Tensor dy = gradient->take();
        if (dy.empty() || !logits_gradient->required) return;
        const double factor = static_cast<double>(dy(0, 0)) / static_cast<double>(std::max<Index>(count, 1));
        logits_gradient->accumulate(cross_entropy_gradient(*value, saved_labels, ignore, factor));
      },
      {logits.shared_value()}, labels.size_bytes());
  return loss;
}

Variable mean_squared_error(Tape& tape, const Variable& predictions, std::span<const float> targets) {
  const Index rows = predictions.rows();
  if (predictions.cols() != 1 || static_cast<Index>(targets.size()) != rows)
    fail("{} targets for predictions of shape [{}, {}]", targets.size(), rows, predictions.cols());
  const double count = static_cast<double>(std::max<Index>(rows, 1));
  std::vector<double> difference(targets.size());
  double sum = 0.0;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    difference[i] = static_cast<double>(predictions.value()(static_cast<Index>(i), 0)) - static_cast<double>(targets[i]);
    sum += difference[i] * difference[i];
  }
  const bool records = tape.records(predictions);
  Variable loss(Tensor::filled(1, 1, static_cast<float>(sum / count)), records);
  if (!records) return loss;

  const std::size_t bytes = difference.size() * sizeof(double);
  tape.record(
      [difference = std::move(difference), count, predictions_gradient = predictions.gradient(),
       gradient = loss.gradient()] {
        const Tensor dy = gradient->take();
        if (dy.empty() || !predictions_gradient->required) return;
        Tensor d(predictions_gradient->rows, 1);
        for (std::size_t i = 0; i < difference.size(); ++i)
          d(static_cast<Index>(i), 0) =
              static_cast<float>(2.0 * difference[i] / count * static_cast<double>(dy(0, 0)));
        predictions_gradient->accumulate(std::move(d));
      },
      {}, bytes);
  return loss;
}

}  // namespace fixtune
