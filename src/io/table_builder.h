#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fixtune/core/error.h"
#include "fixtune/io/table.h"

namespace fixtune {

/// Collects rows in file order; the first is the header if there is one, and sets the number of fields.
class TableBuilder {
 public:
  TableBuilder(std::string path, bool has_header) : path_(std::move(path)), has_header_(has_header) {}

  /// Throws Error naming the file and the line if the number of fields is not the first row's.
  void add(std::vector<std::string> fields, Index line) {
    if (table_.columns.empty()) {
      name_columns(fields);
      if (has_header_) return;
    }
    if (fields.size() != table_.columns.size())
      fail("{}:{}: {} fields, where the first row has {}", path_, line, fields.size(), table_.columns.size());
    table_.rows.push_back(std::move(fields));
    table_.lines.push_back(line);
  }

  Table take() { return std::move(table_); }

 private:
  void name_columns(const std::vector<std::string>& first) {
    for (std::size_t i = 0; i < first.size(); ++i)
      table_.columns.push_back(has_header_ ? first[i] : std::to_string(i));
  }

  std::string path_;
  bool has_header_;
  Table table_;
};

/// Calls visit(text, line) for every line that is not blank, without its newline and carriage return.
template <typename Visit>
void for_each_line(std::string_view content, const Visit& visit) {
  Index line = 1;
  for (std::size_t begin = 0; begin < content.size(); ++line) {
    const std::size_t end = std::min(content.find('\n', begin), content.size());
    std::string_view text = content.substr(begin, end - begin);
    if (text.ends_with('\r')) text.remove_suffix(1);
    if (!text.empty()) visit(text, line);
    begin = end + 1;
  }
}

/// The three formats, from content that is UTF-8 without a byte order mark. Throw Error naming the file and the line.
Table parse_tsv(std::string_view content, const std::string& path, bool has_header);
Table parse_csv(std::string_view content, const std::string& path, bool has_header);
Table parse_jsonl(std::string_view content, const std::string& path);

}  // namespace fixtune
