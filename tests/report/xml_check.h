#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace fixtune {

/// What keeps a document from being well-formed XML, as far as SvgDocument writes it (elements, quoted attributes, text
/// and its five entities), or "" if nothing does.
inline std::string xml_fault(std::string_view text) {
  std::vector<std::string> open;
  std::size_t roots = 0;
  while (!text.empty()) {
    if (text.front() == '&') {
      const std::string_view entity = text.substr(0, text.find(';') + 1);
      if (entity != "&amp;" && entity != "&lt;" && entity != "&gt;" && entity != "&quot;") return "a bare &";
      text.remove_prefix(entity.size());
      continue;
    }
    if (text.front() != '<') {
      if (text.front() == '>') return "a bare >";
      if (open.empty() && text.front() != '\n') return "text outside the root";
      text.remove_prefix(1);
      continue;
    }
    const std::size_t end = text.find('>');
    if (end == std::string_view::npos) return "an open tag";
    const std::string_view tag = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    if (tag.starts_with('/')) {
      if (open.empty() || open.back() != tag.substr(1)) return "</" + std::string(tag.substr(1)) + "> closes nothing";
      open.pop_back();
      continue;
    }
    std::size_t quotes = 0;
    for (const char c : tag) {
      quotes += c == '"' ? 1U : 0U;
      if (c == '<' || c == '&') return "a bare " + std::string(1, c) + " in a tag";
    }
    if (quotes % 2 != 0) return "an open attribute";
    if (open.empty() && ++roots > 1) return "two roots";
    if (!tag.ends_with('/')) open.emplace_back(tag.substr(0, tag.find(' ')));
  }
  return open.empty() ? "" : "<" + open.back() + "> stays open";
}

}  // namespace fixtune
