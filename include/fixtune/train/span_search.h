#pragma once

#include <string>
#include <vector>

#include "fixtune/core/tensor.h"
#include "fixtune/data/question_windows.h"

namespace fixtune {

/// What counts as an answer.
struct SpanSearchOptions {
  Index n_best = 20;               ///< answers kept for a question
  Index max_answer_length = 30;    ///< tokens
  double no_answer_threshold = 0;  ///< V2: a question has no answer where no_answer - best score is above it
};

/// An answer that a window offers: the context tokens at positions [first, last] of the window.
struct SpanCandidate {
  Index window = 0;    ///< its place among all QuestionWindows
  Index first = 0;     ///< position in the window, question and special tokens included
  Index last = 0;      ///< the same; not before `first`
  double score = 0.0;  ///< start logit of first + end logit of last
};

/// The best answers to a question over all its windows.
class SpanSearch {
 public:
  /// Of one question, before its first window. Throws Error unless n_best and max_answer_length are at least 1.
  explicit SpanSearch(const SpanSearchOptions& options);

  /// Considers every span of a window's context of at most max_answer_length tokens; `logits` are the window's rows of
  /// `[tokens, 2]`, contiguous.
  void add_window(const QuestionWindows& windows, Index window, const float* logits);

  /// The n_best answers, the highest score first; equal ones in the order of windows and positions.
  const std::vector<SpanCandidate>& best() const { return best_; }
  /// The lowest over the windows of the score of [CLS] as start and end: a question has no answer where every window
  /// says so.
  double no_answer_score() const { return no_answer_; }
  /// no_answer_score() less the best score; infinite where there is no candidate.
  double no_answer_difference() const;

 private:
  void keep_best();

  SpanSearchOptions options_;
  std::vector<SpanCandidate> best_;
  double no_answer_;
};

/// The answer's text; empty where there is no candidate or, in V2, where no_answer_difference() is above the threshold.
std::string answer_text(const SpanSearch& search, const SpanSearchOptions& options, SquadVersion version,
                        const QuestionWindows& windows, const SquadDataset& data);

}  // namespace fixtune
