#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fixtune/data/wordpiece.h"

namespace fixtune {

/// Text as code points, each with the code point of the source it comes from.
struct NormalizedText {
  std::u32string characters;
  std::vector<Index> sources;

  void add(char32_t c, Index source) {
    characters += c;
    sources.push_back(source);
  }
};

/// Text cleaned, ideographs set apart, accents stripped, lowercased. Drops what is not UTF-8.
NormalizedText normalize(std::string_view text, const WordPieceOptions& options);

/// The words between white space, each punctuation mark a word of its own; views into `text`.
std::vector<std::u32string_view> split_words(std::u32string_view text);

/// Appends a code point as UTF-8.
void append_utf8(char32_t c, std::string& text);

}  // namespace fixtune
