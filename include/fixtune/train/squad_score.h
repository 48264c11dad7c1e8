#pragma once

#include <string_view>

#include "fixtune/data/squad.h"
#include "fixtune/data/squad_predictions.h"
#include "fixtune/train/metrics.h"

namespace fixtune {

/// How well one answer meets one of the right ones.
struct AnswerScore {
  double exact = 0.0;  ///< 1 where the words of both are the same, else 0
  double f1 = 0.0;     ///< of the words that both have, each as often as both have it
};

/// Scores an answer against a right one: words as answer_words gives them,
/// \f$ \mathit{F1} = 2pr / (p + r) \f$, p the common words' share of the answer's words, r that of the right one's, 0
/// where none is common. Where one side has no words V2 takes exact for F1.
AnswerScore score_answer(SquadVersion version, std::string_view answer, std::string_view right);

/// The official metrics in percent, over all questions: `exact_match` and `f1`, each answer scored against its
/// best right one; in V2 also those of the questions with and without an answer (HasAns_exact, HasAns_f1,
/// HasAns_total, NoAns_exact, NoAns_f1, NoAns_total where there are any) and `total`.
///
/// In V2 the right answer to a question without one is the empty one. A question that is not answered scores 0; the
/// official script of V2 leaves it out of the mean instead.
Metrics squad_metrics(SquadVersion version, const SquadDataset& data, const SquadPredictions& predictions);

}  // namespace fixtune
