#include "fixtune/data/text_span.h"

#include <algorithm>

namespace fixtune {
namespace {

bool starts_code_point(char byte) { return (static_cast<unsigned char>(byte) & 0xC0u) != 0x80u; }

/// Bytes before the code point that has `count` others before it.
std::size_t bytes_before(std::string_view text, Index count) {
  std::size_t at = 0;
  for (; at < text.size(); ++at)
    if (starts_code_point(text[at]) && count-- == 0) break;
  return at;
}

}  // namespace

Index count_code_points(std::string_view text) {
  return static_cast<Index>(std::count_if(text.begin(), text.end(), starts_code_point));
}

std::string_view substring(std::string_view text, TextSpan span) {
  const std::string_view from_begin = text.substr(bytes_before(text, span.begin));
  return from_begin.substr(0, bytes_before(from_begin, span.end - span.begin));
}

}  // namespace fixtune
