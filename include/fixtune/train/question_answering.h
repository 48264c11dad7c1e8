#pragma once

#include <vector>

#include "fixtune/data/question_windows.h"
#include "fixtune/data/squad_predictions.h"
#include "fixtune/models/bert_question_answering.h"
#include "fixtune/train/span_search.h"
#include "fixtune/train/training_task.h"

namespace fixtune {

/// What the model finds for each question, in the dataset's order; nothing is saved on the way. `progress` counts
/// windows. Throws Error naming the question whose logits are not finite.
std::vector<SpanSearch> search_answers(BertQuestionAnswering& bert, const SquadDataset& data,
                                       const QuestionWindows& windows, const SpanSearchOptions& options,
                                       Index batch_size, const EvaluationProgress& progress = {});

/// The text of each question's answer.
SquadPredictions predictions(const std::vector<SpanSearch>& searches, const SpanSearchOptions& options,
                             SquadVersion version, const SquadDataset& data, const QuestionWindows& windows);

}  // namespace fixtune
