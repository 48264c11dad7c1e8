#pragma once

#include <string>
#include <vector>

namespace fixtune {

/// A table of text cells, written as Markdown whose columns also line up as plain text.
struct TextTable {
  std::vector<std::string> header;             ///< a title a column
  std::vector<std::vector<std::string>> rows;  ///< cells past the last title are left out

  /// One line a row; the first column is left-aligned, the others right-aligned. Short rows are filled with blanks.
  std::string markdown() const;
};

}  // namespace fixtune
