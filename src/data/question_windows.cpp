#include "fixtune/data/question_windows.h"

#include <algorithm>

#include "fixtune/core/error.h"
#include "fixtune/core/parallel.h"

namespace fixtune {
namespace {

constexpr Index special_tokens = 3;

/// Where a question's first answer stands. Throws Error where the context has something else there.
TextSpan first_answer(const SquadDataset& data, const Question& question) {
  const Answer& answer = question.answers.front();
  const TextSpan span{answer.start, answer.start + count_code_points(answer.text)};
  if (substring(data.contexts[question.context], span) != answer.text)
    fail("{}: {}.answers[0]: the context does not have \"{}\" at {}", data.path, question.place, answer.text,
         answer.start);
  return span;
}

/// The tokens that touch a span of their text.
ContextWindow tokens_of(const TokenizedText& text, TextSpan span) {
  const auto& spans = text.spans;
  const auto first = std::find_if(spans.begin(), spans.end(), [&](TextSpan s) { return s.end > span.begin; });
  const auto end = std::find_if(first, spans.end(), [&](TextSpan s) { return s.begin >= span.end; });
  return {first - spans.begin(), end - first};
}

}  // namespace

QuestionWindows::QuestionWindows(const SquadDataset& data, const WordPiece& tokenizer, WindowOptions options)
    : tokenizer_(tokenizer), questions_(data.questions.size()), contexts_(data.contexts.size()) {
  parallel_for(static_cast<Index>(contexts_.size()), 16, [&](Index begin, Index end) {
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i)
      contexts_[i] = tokenizer.tokenize_with_spans(data.contexts[i]);
  });
  parallel_for(static_cast<Index>(questions_.size()), 64, [&](Index begin, Index end) {
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i)
      questions_[i] = tokenizer.tokenize(data.questions[i].text);
  });
  for (const Question& question : data.questions) context_of_.push_back(question.context);
  for (std::size_t i = 0; i < questions_.size(); ++i) add_windows(data, i, options);
}

void QuestionWindows::add_windows(const SquadDataset& data, std::size_t question, WindowOptions options) try {
  const auto question_tokens = static_cast<Index>(questions_[question].size());
  const auto context_tokens = static_cast<Index>(contexts_[context_of_[question]].ids.size());
  const Index room = options.max_length - special_tokens - question_tokens;
  if (room < 1)
    fail("--max-length {}: the question's {} tokens leave no room for its context", options.max_length,
         question_tokens);
  for (const ContextWindow& window : context_windows(context_tokens, room, options.doc_stride))
    windows_.push_back({question, window, question_tokens + 2, 0, 0});
} catch (const Error& error) {
  fail("{}: {}: {}", data.path, data.questions[question].place, error.what());
}

Index QuestionWindows::mark_answers(const SquadDataset& data) {
  Index without_token = 0;
  for (QuestionWindow& window : windows_) {
    const Question& question = data.questions[window.question];
    if (question.answers.empty()) continue;
    const ContextWindow answer = tokens_of(context(window), first_answer(data, question));
    const Index first = answer.first - window.context.first;
    if (answer.count == 0 && window.context.first == 0) ++without_token;
    if (answer.count == 0 || first < 0 || first + answer.count > window.context.count) continue;
    window.answer_first = static_cast<std::int32_t>(window.context_begin + first);
    window.answer_last = static_cast<std::int32_t>(window.answer_first + answer.count - 1);
  }
  return without_token;
}

Encoding QuestionWindows::encoding(Index window) const {
  const QuestionWindow& w = (*this)[window];
  const std::span<const std::int32_t> ids(context(w).ids);
  return tokenizer_.join(questions_[w.question], ids.subspan(static_cast<std::size_t>(w.context.first),
                                                             static_cast<std::size_t>(w.context.count)));
}

WindowBatch QuestionWindows::batch(std::span<const Index> windows) const {
  WindowBatch batch;
  std::vector<Encoding> encodings;
  for (const Index window : windows) {
    encodings.push_back(encoding(window));
    batch.answer_first.push_back((*this)[window].answer_first);
    batch.answer_last.push_back((*this)[window].answer_last);
  }
  batch.packed = pack(encodings, windows);
  return batch;
}

TextSpan QuestionWindows::text_span(Index window, Index first, Index last) const {
  const QuestionWindow& w = (*this)[window];
  const Index offset = w.context.first - w.context_begin;
  const auto& spans = context(w).spans;
  return {spans[static_cast<std::size_t>(offset + first)].begin, spans[static_cast<std::size_t>(offset + last)].end};
}

}  // namespace fixtune
