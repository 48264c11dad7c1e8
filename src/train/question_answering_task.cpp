#include "fixtune/train/question_answering_task.h"

#include "fixtune/autograd/span_loss.h"
#include "fixtune/train/squad_score.h"

namespace fixtune {

TaskLoss QuestionAnsweringTask::loss(Pass& pass, std::span<const Index> windows) {
  const WindowBatch batch = train_.batch(windows);
  const Variable logits = bert_(pass, batch.packed);
  return {span_cross_entropy(pass.tape, logits, batch.packed.offsets, batch.answer_first, batch.answer_last),
          batch.packed.tokens()};
}

Metrics QuestionAnsweringTask::evaluate(Index batch_size, const EvaluationProgress& progress) {
  const std::vector<SpanSearch> searches =
      search_answers(bert_, questions_, evaluation_, search_, batch_size, progress);
  answers_ = predictions(searches, search_, version_, questions_, evaluation_);
  return squad_metrics(version_, questions_, *answers_);
}

}  // namespace fixtune
