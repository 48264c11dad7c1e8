// Prints the token ids of each line on standard input (a tab in the line separates a pair), or the windows of a SQuAD file.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iostream>
#include <string>

#include "fixtune/data/question_windows.h"
#include "fixtune/data/wordpiece.h"
#include "fixtune/io/json.h"
#include "program/run.h"

namespace {

using namespace fixtune;

struct Options {
  std::string model, squad;
  Index max_length = 512;
  Index doc_stride = WindowOptions{}.doc_stride;
};

Encoding encode_line(const WordPiece& tokenizer, std::string_view line, Index max_length) {
  const std::size_t tab = line.find('\t');
  if (tab == std::string_view::npos) return tokenizer.encode(line, std::nullopt, max_length);
  return tokenizer.encode(line.substr(0, tab), line.substr(tab + 1), max_length);
}

void tokenize_lines(const WordPiece& tokenizer, Index max_length) {
  for (std::string line; std::getline(std::cin, line);)
    fmt::print("{}\n", fmt::join(encode_line(tokenizer, line, max_length).ids, " "));
}

/// The window's tokens, where its context's tokens stand, and the first right answer, tokens and text.
Json window_document(const SquadDataset& data, const QuestionWindows& windows, Index i) {
  const QuestionWindow& window = windows[i];
  const Question& question = data.questions[window.question];
  Json spans = Json::array();
  for (Index t = window.context_begin; t < window.context_begin + window.context.count; ++t)
    spans.push_back({windows.text_span(i, t, t).begin, windows.text_span(i, t, t).end});
  Json answer;
  if (window.answer_first > 0)
    answer = substring(data.contexts[question.context],
                       windows.text_span(i, window.answer_first, window.answer_last));
  return {{"id", question.id},
          {"ids", windows.encoding(i).ids},
          {"spans", std::move(spans)},
          {"answer_tokens", {window.answer_first, window.answer_last}},
          {"answer", std::move(answer)}};
}

void tokenize_questions(const WordPiece& tokenizer, const Options& o) {
  const SquadDataset data = read_squad(o.squad, SquadVersion::V2);
  QuestionWindows windows(data, tokenizer, {o.max_length, o.doc_stride});
  windows.mark_answers(data);
  for (Index i = 0; i < windows.size(); ++i) fmt::print("{}\n", window_document(data, windows, i).dump());
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Print the token ids of lines of text, or the windows of questions", "tokenize");
  Options o;
  app.add_option("--model", o.model, "folder with the vocabulary")->required();
  app.add_option("--max-length", o.max_length, "most ids in a line")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--squad", o.squad, "print a JSON line for every window of this file instead");
  app.add_option("--doc-stride", o.doc_stride, "context tokens that neighbouring windows share (--squad)")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  return program::run(app, argc, argv, [&] {
    const WordPiece tokenizer = WordPiece::from_folder(o.model, program::notice);
    if (o.squad.empty())
      tokenize_lines(tokenizer, o.max_length);
    else
      tokenize_questions(tokenizer, o);
  });
}
