#pragma once

#include "fixtune/train/classification.h"
#include "fixtune/train/training_task.h"

namespace fixtune {

/// Classification or regression of sentences and pairs. What it is given must outlive it.
class ClassificationTask : public TrainingTask {
 public:
  /// `task` says which metrics are meant.
  ClassificationTask(Bert& bert, const EncodedDataset& train, const EncodedDataset& evaluation, Task task,
                     bool regression)
      : bert_(bert), train_(train), evaluation_(evaluation), task_(task), regression_(regression) {}

  BertEncoder& model() override { return bert_; }  ///< What it was given.
  Index size() const override { return train_.size(); }
  Index labelled(std::span<const Index> examples) const override;
  TaskLoss loss(Pass& pass, std::span<const Index> examples) override;
  Metrics evaluate(Index batch_size, const EvaluationProgress& progress) override;

 private:
  Bert& bert_;
  const EncodedDataset& train_;
  const EncodedDataset& evaluation_;
  Task task_;
  bool regression_;
};

}  // namespace fixtune
