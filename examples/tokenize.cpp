// Prints the token ids of each line on standard input; a tab in the line separates a pair.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iostream>
#include <string>

#include "fixtune/data/wordpiece.h"
#include "program/run.h"

namespace {

using namespace fixtune;

Encoding encode_line(const WordPiece& tokenizer, std::string_view line, Index max_length) {
  const std::size_t tab = line.find('\t');
  if (tab == std::string_view::npos) return tokenizer.encode(line, std::nullopt, max_length);
  return tokenizer.encode(line.substr(0, tab), line.substr(tab + 1), max_length);
}

void tokenize(const std::string& model, Index max_length) {
  const WordPiece tokenizer = WordPiece::from_folder(model, program::notice);
  for (std::string line; std::getline(std::cin, line);)
    fmt::print("{}\n", fmt::join(encode_line(tokenizer, line, max_length).ids, " "));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Print the token ids of lines of text", "tokenize");
  std::string model;
  Index max_length = 512;
  app.add_option("--model", model, "folder with the vocabulary")->required();
  app.add_option("--max-length", max_length, "most ids in a line")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  return program::run(app, argc, argv, [&] { tokenize(model, max_length); });
}
