#include "fixtune/io/table.h"

#include <algorithm>
#include <string_view>

#include "fixtune/io/file.h"
#include "table_builder.h"
#include "utf8.h"

namespace fixtune {
namespace {

void require_utf8(std::string_view content, const std::string& path) {
  const std::size_t at = find_invalid_utf8(content);
  if (at == std::string_view::npos) return;
  const auto line = 1 + std::count(content.begin(), content.begin() + static_cast<std::ptrdiff_t>(at), '\n');
  fail("{}:{}: not UTF-8: byte 0x{:02X}", path, line, static_cast<unsigned char>(content[at]));
}

Table parse(std::string_view content, const std::string& path, TableFormat format, bool has_header) {
  switch (format) {
    case TableFormat::Tsv:
      return parse_tsv(content, path, has_header);
    case TableFormat::Csv:
      return parse_csv(content, path, has_header);
    case TableFormat::Jsonl:
      return parse_jsonl(content, path);
  }
  fail("{}: unknown table format", path);
}

}  // namespace

TableFormat format_of(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  if (extension == ".tsv" || extension == ".txt") return TableFormat::Tsv;
  if (extension == ".csv") return TableFormat::Csv;
  if (extension == ".jsonl" || extension == ".ndjson") return TableFormat::Jsonl;
  fail("{}: unknown extension; a table is .tsv, .txt, .csv, .jsonl or .ndjson", path.string());
}

Table parse_tsv(std::string_view content, const std::string& path, bool has_header) {
  TableBuilder builder(path, has_header);
  for_each_line(content, [&](std::string_view text, Index line) {
    std::vector<std::string> fields;
    for (std::size_t begin = 0; begin <= text.size();) {
      const std::size_t end = std::min(text.find('\t', begin), text.size());
      fields.emplace_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
    builder.add(std::move(fields), line);
  });
  return builder.take();
}

Table read_table(const std::filesystem::path& path, TableFormat format, bool has_header) {
  const std::string bytes = read_file(path);
  const std::string name = path.string();
  require_utf8(bytes, name);
  std::string_view content = bytes;
  if (content.starts_with("\xEF\xBB\xBF")) content.remove_prefix(3);
  Table table = parse(content, name, format, has_header);
  if (table.columns.empty()) fail("{}:1: the file has no rows", name);
  return table;
}

}  // namespace fixtune
