#include "fixtune/train/question_answering.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "fixtune/core/error.h"

namespace fixtune {
namespace {

void check_finite(const Tensor& logits, Index first, Index end, const Question& question) {
  for (Index t = first; t < end; ++t)
    if (!std::isfinite(logits(t, 0) + logits(t, 1)))
      fail("the logits of question \"{}\" hold NaN or infinity", question.id);
}

}  // namespace

std::vector<SpanSearch> search_answers(BertQuestionAnswering& bert, const SquadDataset& data,
                                       const QuestionWindows& windows, const SpanSearchOptions& options,
                                       Index batch_size, const EvaluationProgress& progress) {
  std::vector<SpanSearch> searches(data.questions.size(), SpanSearch(options));
  for (Index begin = 0; begin < windows.size(); begin += batch_size) {
    std::vector<Index> chosen(static_cast<std::size_t>(std::min(batch_size, windows.size() - begin)));
    std::iota(chosen.begin(), chosen.end(), begin);
    const PackedBatch batch = windows.batch(chosen).packed;
    Tape tape(/*recording=*/false);
    Pass pass{tape, {}, false, {}};
    const Variable logits = bert(pass, batch);
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      const std::size_t question = windows[chosen[i]].question;
      check_finite(logits.value(), batch.offsets[i], batch.offsets[i + 1], data.questions[question]);
      searches[question].add_window(windows, chosen[i], logits.value().row(batch.offsets[i]));
    }
    if (progress) progress(begin + batch.sentences(), windows.size());
  }
  // Codes drawn for an evaluation must not enter the next training step: a run would depend on when it evaluates.
  bert.weights_changed();
  return searches;
}

SquadPredictions predictions(const std::vector<SpanSearch>& searches, const SpanSearchOptions& options,
                             SquadVersion version, const SquadDataset& data, const QuestionWindows& windows) {
  SquadPredictions answers;
  for (std::size_t i = 0; i < searches.size(); ++i)
    answers[data.questions[i].id] = answer_text(searches[i], options, version, windows, data);
  return answers;
}

}  // namespace fixtune
