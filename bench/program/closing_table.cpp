#include "program/closing_table.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "fixtune/core/parallel.h"
#include "fixtune/report/table.h"

namespace fixtune::bench {
namespace {

int decimals(double value) {
  const double size = std::abs(value);
  return size >= 100.0 ? 0 : size >= 10.0 ? 1 : size >= 1.0 ? 2 : 3;
}

std::string shown(const Json& cell) {
  if (cell.is_null()) return "-";
  if (cell.is_string()) return cell.get<std::string>();
  if (cell.is_number_integer()) return fmt::format("{}", cell.get<std::int64_t>());
  const auto value = cell.get<double>();
  return fmt::format("{:.{}f}", value, decimals(value));
}

}  // namespace

ClosingTable::ClosingTable(std::string title, std::vector<std::string> columns, std::string note)
    : title_(std::move(title)), columns_(std::move(columns)), note_(std::move(note)) {}

void ClosingTable::add(std::vector<Json> cells) { rows_.push_back(std::move(cells)); }

std::string ClosingTable::text() const {
  TextTable table;
  table.header = columns_;
  for (const auto& row : rows_) {
    std::vector<std::string> cells;
    for (const Json& cell : row) cells.push_back(shown(cell));
    table.rows.push_back(std::move(cells));
  }
  const int threads = thread_count();
  std::string text =
      fmt::format("{} ({} thread{})\n\n{}", title_, threads, threads == 1 ? "" : "s", table.markdown());
  if (!note_.empty()) text += "\n" + note_ + "\n";
  return text;
}

Json ClosingTable::json() const {
  return {{"title", title_}, {"columns", columns_}, {"rows", rows_}, {"note", note_}};
}

}  // namespace fixtune::bench
