#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fixtune/data/wordpiece.h"

namespace fixtune {

/// Code points of UTF-8 text; bytes that are not UTF-8 become U+FFFD.
std::u32string decode_utf8(std::string_view text);
std::string encode_utf8(std::u32string_view text);

/// BERT's normaliser: drops control characters, puts blanks round ideographs, strips accents, lowers case.
std::u32string normalize(std::u32string_view text, const WordPieceOptions& options);

/// Splits at white space, each punctuation mark a word of its own.
std::vector<std::u32string> split_words(std::u32string_view text);

}  // namespace fixtune
