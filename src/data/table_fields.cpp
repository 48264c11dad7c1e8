#include "table_fields.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "fixtune/core/error.h"

namespace fixtune {

std::size_t column_index(const Table& table, std::string_view column, const std::string& path) {
  const auto count = std::count(table.columns.begin(), table.columns.end(), column);
  if (count == 0) fail("{}: no column \"{}\"; there are {}", path, column, table.columns);
  if (count > 1) fail("{}: {} columns are named \"{}\"", path, count, column);
  const auto found = std::find(table.columns.begin(), table.columns.end(), column);
  return static_cast<std::size_t>(found - table.columns.begin());
}

}  // namespace fixtune
