// Reads lines from standard input and prints their token ids; a tab separates the two sentences of a pair.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iostream>
#include <string>

#include "fixtune/data/wordpiece.h"
#include "program/run.h"

namespace {

using namespace fixtune;

void tokenize(const std::string& model, Index max_length) {
  const WordPiece tokenizer = WordPiece::from_folder(model, program::notice);
  std::string line;
  while (std::getline(std::cin, line)) {
    const std::string_view text(line);
    const std::size_t tab = text.find('\t');
    std::optional<std::string_view> pair;
    if (tab != std::string_view::npos) pair = text.substr(tab + 1);
    fmt::print("{}\n", fmt::join(tokenizer.encode(text.substr(0, tab), pair, max_length).ids, " "));
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Print the token ids of sentences", "tokenize");
  std::string model;
  Index max_length = 512;
  app.add_option("--model", model, "Hugging Face folder")->required();
  app.add_option("--max-length", max_length)->check(CLI::PositiveNumber)->capture_default_str();
  return program::run(app, argc, argv, [&] { tokenize(model, max_length); });
}
