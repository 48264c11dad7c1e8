#include "fixtune/data/text_table.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "table_fields.h"
#include "fixtune/core/error.h"
#include "fixtune/io/table.h"

namespace fixtune {
namespace {

std::optional<Index> whole_number(std::string_view text) {
  Index value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::vector<std::string> labels_found(const Table& table, std::size_t column) {
  std::set<std::string> distinct;
  for (const auto& row : table.rows) distinct.insert(row[column]);
  std::vector<std::string> labels(distinct.begin(), distinct.end());
  if (std::all_of(labels.begin(), labels.end(), whole_number))
    std::stable_sort(labels.begin(), labels.end(), [](const std::string& a, const std::string& b) {
      return *whole_number(a) < *whole_number(b);
    });
  return labels;
}

void require_classes(const std::vector<std::string>& names, const std::string& path) {
  if (names.size() < 2) fail("{}: labels {} are fewer than 2 classes", path, names);
  if (std::set<std::string>(names.begin(), names.end()).size() != names.size())
    fail("{}: labels {} hold one twice", path, names);
}

float score(const std::string& word, const std::string& path, Index line) {
  const std::optional<float> value = finite_number(word);
  if (!value) fail("{}:{}: label \"{}\" is not a finite number", path, line, word);
  return *value;
}

float class_number(const std::vector<std::string>& names, const std::string& word, const std::string& path,
                   Index line) {
  const auto found = std::find(names.begin(), names.end(), word);
  if (found == names.end()) fail("{}:{}: label \"{}\" is none of {}", path, line, word, names);
  return static_cast<float>(found - names.begin());
}

void read_sentences(const Table& table, const TextColumns& columns, Dataset& data) {
  const std::size_t text = column_index(table, columns.text, data.path);
  const std::size_t pair = columns.pair.empty() ? text : column_index(table, columns.pair, data.path);
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    Example example;
    example.text = table.rows[i][text];
    if (!columns.pair.empty()) example.pair = table.rows[i][pair];
    example.line = table.lines[i];
    data.examples.push_back(std::move(example));
  }
}

void read_labels(const Table& table, const TextColumns& columns, Dataset& data) {
  const std::size_t label = column_index(table, columns.label, data.path);
  if (!columns.regression) {
    if (data.label_names.empty()) data.label_names = labels_found(table, label);
    require_classes(data.label_names, data.path);
  }
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const std::string& word = table.rows[i][label];
    data.examples[i].label = columns.regression
                                 ? score(word, data.path, table.lines[i])
                                 : class_number(data.label_names, word, data.path, table.lines[i]);
  }
}

}  // namespace

Dataset read_text(const std::filesystem::path& file, const TextColumns& columns) {
  const Table table = read_table(file, format_of(file), true);
  Dataset data;
  data.path = file.string();
  if (!columns.regression) data.label_names = columns.label_names;
  read_sentences(table, columns, data);
  if (columns.has_label) read_labels(table, columns, data);
  return data;
}

}  // namespace fixtune
