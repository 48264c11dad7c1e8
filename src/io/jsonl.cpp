#include <cmath>

#include "fixtune/io/json.h"
#include "table_builder.h"

namespace fixtune {
namespace {

/// Below this every whole double is an exact integer.
constexpr double exact_integers = 9007199254740992.0;

/// One line of the file, and where it stands for messages.
struct JsonRow {
  const std::string& path;
  Index line;
  Json object;
};

JsonRow parse_row(std::string_view text, const std::string& path, Index line) {
  try {
    JsonRow row{path, line, Json::parse(text)};
    if (!row.object.is_object()) fail("{}:{}: not a JSON object", path, line);
    return row;
  } catch (const Json::exception& error) {
    fail("{}:{}: malformed JSON: {}", path, line, error.what());
  }
}

std::string number_word(double value) {
  if (value == std::trunc(value) && std::abs(value) < exact_integers)
    return fmt::format("{}", static_cast<std::int64_t>(value));
  return fmt::format("{}", value);
}

std::string word(const JsonRow& row, const std::string& key) {
  const auto found = row.object.find(key);
  if (found == row.object.end()) fail("{}:{}: no key \"{}\"", row.path, row.line, key);
  if (found->is_string()) return found->get<std::string>();
  if (found->is_number_float()) return number_word(found->get<double>());
  if (found->is_null()) fail("{}:{}: \"{}\" is null", row.path, row.line, key);
  if (found->is_structured()) fail("{}:{}: \"{}\" is an array or object", row.path, row.line, key);
  return found->dump();
}

}  // namespace

Table parse_jsonl(std::string_view content, const std::string& path) {
  Table table;
  for_each_line(content, [&](std::string_view text, Index line) {
    const JsonRow row = parse_row(text, path, line);
    if (table.rows.empty())
      for (const auto& item : row.object.items()) table.columns.push_back(item.key());
    if (table.columns.empty()) fail("{}:{}: an object without keys", path, line);
    std::vector<std::string> fields;
    for (const std::string& key : table.columns) fields.push_back(word(row, key));
    table.rows.push_back(std::move(fields));
    table.lines.push_back(line);
  });
  return table;
}

}  // namespace fixtune
