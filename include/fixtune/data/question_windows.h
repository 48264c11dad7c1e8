#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "fixtune/data/batch.h"
#include "fixtune/data/context_windows.h"
#include "fixtune/data/encoding.h"
#include "fixtune/data/squad.h"
#include "fixtune/data/text_span.h"
#include "fixtune/data/wordpiece.h"

namespace fixtune {

/// How questions and contexts are cut into windows.
struct WindowOptions {
  Index max_length = 384;  ///< tokens of a window, question and special tokens included
  Index doc_stride = 128;  ///< context tokens that neighbouring windows share
};

/// A question with a window of its context; its tokens are `[CLS] question [SEP] window [SEP]`.
struct QuestionWindow {
  std::size_t question = 0;       ///< its place in SquadDataset::questions
  ContextWindow context;          ///< which tokens of the question's context
  Index context_begin = 0;        ///< position of the window's first context token
  std::int32_t answer_first = 0;  ///< positions of the answer's first and last token; both 0, [CLS], where the window
  std::int32_t answer_last = 0;   ///< does not hold all of it
};

/// Some windows packed, without labels, and where their answers are.
struct WindowBatch {
  PackedBatch packed;                      ///< one pair a window; `example_index` has the windows' numbers
  std::vector<std::int32_t> answer_first;  ///< QuestionWindow::answer_first of each
  std::vector<std::int32_t> answer_last;   ///< QuestionWindow::answer_last of each
};

/// The questions of a dataset as tokens, cut into windows, in the dataset's order.
class QuestionWindows {
 public:
  /// Tokenises and cuts. Throws Error naming the question whose own length leaves no room for its context.
  QuestionWindows(const SquadDataset& data, const WordPiece& tokenizer, WindowOptions options);

  /// Sets the windows' answers to the first of each question. Throws Error naming one that its context does not have
  /// where it says. Returns how many answers no token stands for (only white space or control characters).
  Index mark_answers(const SquadDataset& data);

  Index size() const { return static_cast<Index>(windows_.size()); }  ///< windows of all questions
  /// A question's windows follow each other, from the start of its context on. Unchecked.
  const QuestionWindow& operator[](Index window) const { return windows_[static_cast<std::size_t>(window)]; }
  Encoding encoding(Index window) const;  ///< The window's tokens, the question as first of a pair.
  /// Windows in the order given; answers are [CLS] before mark_answers().
  WindowBatch batch(std::span<const Index> windows) const;
  /// What the tokens at positions [first, last] of the window stand for: code points of the context, in which both must
  /// lie.
  TextSpan text_span(Index window, Index first, Index last) const;

 private:
  const TokenizedText& context(const QuestionWindow& window) const { return contexts_[context_of_[window.question]]; }
  void add_windows(const SquadDataset& data, std::size_t question, WindowOptions options);

  WordPiece tokenizer_;
  std::vector<std::vector<std::int32_t>> questions_;
  std::vector<std::size_t> context_of_;
  std::vector<TokenizedText> contexts_;
  std::vector<QuestionWindow> windows_;
};

}  // namespace fixtune
