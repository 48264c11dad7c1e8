#include "fixtune/train/classification_task.h"

namespace fixtune {

Index ClassificationTask::labelled(std::span<const Index> examples) const {
  std::vector<float> labels;
  for (const Index example : examples) labels.push_back(train_.labels[static_cast<std::size_t>(example)]);
  return fixtune::labelled(labels, regression_);
}

TaskLoss ClassificationTask::loss(Pass& pass, std::span<const Index> examples) {
  const PackedBatch batch = train_.batch(examples);
  return {task_loss(pass.tape, bert_(pass, batch), batch.labels, regression_), batch.tokens()};
}

Metrics ClassificationTask::evaluate(Index batch_size, const EvaluationProgress& progress) {
  return task_metrics(task_, regression_, predict(bert_, evaluation_, batch_size, progress), evaluation_.labels);
}

}  // namespace fixtune
