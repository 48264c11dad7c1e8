#include "fixtune/train/span_search.h"

#include <algorithm>
#include <limits>

#include "fixtune/core/error.h"

namespace fixtune {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

double score(const float* logits, Index first, Index last) {
  return static_cast<double>(logits[2 * first]) + static_cast<double>(logits[2 * last + 1]);
}

}  // namespace

SpanSearch::SpanSearch(const SpanSearchOptions& options) : options_(options), no_answer_(infinity) {
  if (options.n_best < 1 || options.max_answer_length < 1)
    fail("n_best {} and max_answer_length {} must be at least 1", options.n_best, options.max_answer_length);
}

void SpanSearch::add_window(const QuestionWindows& windows, Index window, const float* logits) {
  no_answer_ = std::min(no_answer_, score(logits, 0, 0));
  const QuestionWindow& w = windows[window];
  const Index end = w.context_begin + w.context.count;
  for (Index first = w.context_begin; first < end; ++first) {
    for (Index last = first; last < std::min(end, first + options_.max_answer_length); ++last)
      best_.push_back({window, first, last, score(logits, first, last)});
    keep_best();
  }
}

void SpanSearch::keep_best() {
  std::stable_sort(best_.begin(), best_.end(),
                   [](const SpanCandidate& a, const SpanCandidate& b) { return a.score > b.score; });
  best_.resize(std::min(best_.size(), static_cast<std::size_t>(options_.n_best)));
}

double SpanSearch::no_answer_difference() const { return best_.empty() ? infinity : no_answer_ - best_.front().score; }

std::string answer_text(const SpanSearch& search, const SpanSearchOptions& options, SquadVersion version,
                        const QuestionWindows& windows, const SquadDataset& data) {
  if (search.best().empty()) return {};
  if (version == SquadVersion::V2 && search.no_answer_difference() > options.no_answer_threshold) return {};
  const SpanCandidate& best = search.best().front();
  const Question& question = data.questions[windows[best.window].question];
  const TextSpan span = windows.text_span(best.window, best.first, best.last);
  return std::string(substring(data.contexts[question.context], span));
}

}  // namespace fixtune
