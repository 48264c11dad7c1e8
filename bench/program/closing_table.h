#pragma once

#include <string>
#include <vector>

#include "fixtune/io/json.h"

namespace fixtune::bench {

/// A table that a program ends with, for a person on the terminal and for a script as JSON.
class ClosingTable {
 public:
  ClosingTable(std::string title, std::vector<std::string> columns, std::string note = {});

  /// One row; a cell is a string, a number (shown with three or four digits) or null (shown as -).
  void add(std::vector<Json> cells);
  bool empty() const { return rows_.empty(); }

  /// Title, Markdown table, note.
  std::string text() const;
  /// `{"title", "columns", "rows", "note"}`, numbers in full.
  Json json() const;

 private:
  std::string title_;
  std::vector<std::string> columns_;
  std::string note_;
  std::vector<std::vector<Json>> rows_;
};

}  // namespace fixtune::bench
