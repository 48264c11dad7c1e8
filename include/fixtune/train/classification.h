#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "fixtune/data/batch.h"
#include "fixtune/data/encoding.h"
#include "fixtune/data/example.h"
#include "fixtune/data/glue.h"
#include "fixtune/data/wordpiece.h"
#include "fixtune/models/bert.h"
#include "fixtune/train/metrics.h"
#include "fixtune/train/training_task.h"

namespace fixtune {

/// A dataset as token ids.
struct EncodedDataset {
  std::vector<Encoding> encodings;  ///< one an example
  std::vector<float> labels;        ///< one an example: a class number, -100 for none, or a score
  Index size() const { return static_cast<Index>(encodings.size()); }  ///< examples
  /// These rows, packed.
  PackedBatch batch(std::span<const Index> rows) const;
  /// The rows of `order` from `begin`, at most `count`, packed.
  PackedBatch batch(const std::vector<Index>& order, Index begin, Index count) const;
};

/// Tokenises a dataset, sentences and pairs cut to `max_length` tokens.
EncodedDataset encode(const Dataset& dataset, const WordPiece& tokenizer, Index max_length);

/// How many of the labels count: where `regression` all, else all but -100, by which cross-entropy knows a row without
/// a label.
Index labelled(const std::vector<float>& labels, bool regression);

/// Mean cross-entropy, or mean squared error where `regression`, over the labels that count.
Variable task_loss(Tape& tape, const Variable& logits, const std::vector<float>& labels, bool regression);

/// Logits `[examples, labels]` in the dataset's order; nothing is saved on the way.
/// Throws Error naming the example whose logits are not finite.
Tensor predict(Bert& bert, const EncodedDataset& data, Index batch_size, const EvaluationProgress& progress = {});

/// The class of each row: its largest logit, the first where equal.
std::vector<int> classes(const Tensor& logits);

/// The task's metrics (the paper, Table 1): Matthews for CoLA; accuracy and F1 for MRPC; Pearson and Spearman for
/// regression; accuracy elsewhere, with F1 too where a `text` task has two classes.
Metrics task_metrics(Task task, bool regression, const Tensor& logits, const std::vector<float>& labels);

}  // namespace fixtune
