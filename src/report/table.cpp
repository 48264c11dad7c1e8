#include "fixtune/report/table.h"

#include <fmt/format.h>

#include <algorithm>

namespace fixtune {
namespace {

std::string cell(const std::vector<std::string>& row, std::size_t c) { return c < row.size() ? row[c] : ""; }

/// Characters, not bytes: bytes that go on with a UTF-8 character are not counted.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string line(const std::vector<std::string>& row, const std::vector<std::size_t>& widths) {
  std::string text = "|";
  for (std::size_t c = 0; c < widths.size(); ++c)
    text += c == 0 ? fmt::format(" {:<{}} |", cell(row, c), widths[c])
                   : fmt::format(" {:>{}} |", cell(row, c), widths[c]);
  return text + "\n";
}

}  // namespace

std::string TextTable::markdown() const {
  std::vector<std::size_t> widths;
  for (const std::string& title : header) widths.push_back(std::max<std::size_t>(3, width_of(title)));
  for (const auto& row : rows)
    for (std::size_t c = 0; c < std::min(row.size(), widths.size()); ++c)
      widths[c] = std::max(widths[c], width_of(row[c]));
  std::string text = line(header, widths) + "|";
  for (std::size_t c = 0; c < widths.size(); ++c)
    text += (c == 0 ? ":" : "-") + std::string(widths[c], '-') + (c == 0 ? "-|" : ":|");
  text += "\n";
  for (const auto& row : rows) text += line(row, widths);
  return text;
}

}  // namespace fixtune
