#pragma once

#include <optional>

#include "fixtune/train/question_answering.h"
#include "fixtune/train/training_task.h"

namespace fixtune {

/// Extractive question answering: an example is a window, its loss span_cross_entropy, the metrics are SQuAD's. What it
/// is given must outlive it.
class QuestionAnsweringTask : public TrainingTask {
 public:
  /// The windows of `train` have their answers marked; `questions` are those of `evaluation`.
  QuestionAnsweringTask(BertQuestionAnswering& bert, const QuestionWindows& train, const SquadDataset& questions,
                        const QuestionWindows& evaluation, SquadVersion version, const SpanSearchOptions& search)
      : bert_(bert), train_(train), questions_(questions), evaluation_(evaluation), version_(version), search_(search) {}

  BertEncoder& model() override { return bert_; }  ///< What it was given.
  Index size() const override { return train_.size(); }
  Index labelled(std::span<const Index> windows) const override { return static_cast<Index>(windows.size()); }
  TaskLoss loss(Pass& pass, std::span<const Index> windows) override;
  Metrics evaluate(Index batch_size, const EvaluationProgress& progress) override;

  /// What the last evaluation answered, if there was one.
  const std::optional<SquadPredictions>& answers() const { return answers_; }

 private:
  BertQuestionAnswering& bert_;
  const QuestionWindows& train_;
  const SquadDataset& questions_;
  const QuestionWindows& evaluation_;
  SquadVersion version_;
  SpanSearchOptions search_;
  std::optional<SquadPredictions> answers_;
};

}  // namespace fixtune
