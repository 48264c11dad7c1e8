#include "fixtune/train/classification.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "fixtune/autograd/loss.h"
#include "fixtune/core/parallel.h"

namespace fixtune {
namespace {

void check_finite(const Tensor& logits, Index begin, Index end) {
  for (Index r = begin; r < end; ++r)
    for (Index c = 0; c < logits.cols(); ++c)
      if (!std::isfinite(logits(r, c))) fail("the logits of example {} (from 0) hold {}", r, logits(r, c));
}

}  // namespace

PackedBatch EncodedDataset::batch(std::span<const Index> rows) const {
  std::vector<Encoding> chosen;
  std::vector<float> chosen_labels;
  for (const Index row : rows) {
    chosen.push_back(encodings[static_cast<std::size_t>(row)]);
    chosen_labels.push_back(labels[static_cast<std::size_t>(row)]);
  }
  return pack(chosen, chosen_labels, rows);
}

PackedBatch EncodedDataset::batch(const std::vector<Index>& order, Index begin, Index count) const {
  const Index end = std::min<Index>(begin + count, static_cast<Index>(order.size()));
  return batch(std::span(order).subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin)));
}

EncodedDataset encode(const Dataset& dataset, const WordPiece& tokenizer, Index max_length) {
  EncodedDataset data;
  data.encodings.resize(dataset.examples.size());
  parallel_for(static_cast<Index>(dataset.examples.size()), 64, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const Example& example = dataset.examples[static_cast<std::size_t>(i)];
      std::optional<std::string_view> pair;
      if (example.pair) pair = *example.pair;
      data.encodings[static_cast<std::size_t>(i)] = tokenizer.encode(example.text, pair, max_length);
    }
  });
  for (const Example& example : dataset.examples) data.labels.push_back(example.label);
  return data;
}

Index labelled(const std::vector<float>& labels, bool regression) {
  const auto all = static_cast<Index>(labels.size());
  return regression ? all : all - std::count(labels.begin(), labels.end(), static_cast<float>(ignored_label));
}

Variable task_loss(Tape& tape, const Variable& logits, const std::vector<float>& labels, bool regression) {
  if (regression) return mean_squared_error(tape, logits, labels);
  std::vector<std::int32_t> classes_of(labels.size());
  std::transform(labels.begin(), labels.end(), classes_of.begin(),
                 [](float label) { return static_cast<std::int32_t>(label); });
  return cross_entropy(tape, logits, classes_of);
}

Tensor predict(Bert& bert, const EncodedDataset& data, Index batch_size, const EvaluationProgress& progress) {
  std::vector<Index> order(static_cast<std::size_t>(data.size()));
  std::iota(order.begin(), order.end(), 0);
  Tensor logits(data.size(), bert.labels());
  for (Index begin = 0; begin < data.size(); begin += batch_size) {
    Tape tape(/*recording=*/false);
    Pass pass{tape, {}, false, {}};
    const Variable batch_logits = bert(pass, data.batch(order, begin, batch_size));
    std::copy_n(batch_logits.value().data(), batch_logits.value().size(), logits.row(begin));
    check_finite(logits, begin, begin + batch_logits.rows());
    if (progress) progress(begin + batch_logits.rows(), data.size());
  }
  // Codes drawn for an evaluation must not enter the next training step: a run would depend on when it evaluates.
  bert.weights_changed();
  return logits;
}

std::vector<int> classes(const Tensor& logits) {
  std::vector<int> result;
  for (Index r = 0; r < logits.rows(); ++r) {
    const float* row = logits.row(r);
    result.push_back(static_cast<int>(std::max_element(row, row + logits.cols()) - row));
  }
  return result;
}

Metrics task_metrics(Task task, bool regression, const Tensor& logits, const std::vector<float>& labels) {
  if (regression) {
    const std::vector<double> predicted(logits.data(), logits.data() + logits.size());
    const std::vector<double> wanted(labels.begin(), labels.end());
    return {{"pearson", pearson(predicted, wanted)}, {"spearman", spearman(predicted, wanted)}};
  }
  const std::vector<int> predicted = classes(logits);
  std::vector<int> wanted;
  for (const float label : labels) wanted.push_back(static_cast<int>(label));
  if (task == Task::CoLA) return {{"matthews_correlation", matthews_correlation(predicted, wanted)}};
  Metrics metrics{{"accuracy", accuracy(predicted, wanted)}};
  if (task == Task::MRPC || (task == Task::Text && logits.cols() == 2))
    metrics.emplace_back("f1", f1(predicted, wanted));
  return metrics;
}

}  // namespace fixtune
