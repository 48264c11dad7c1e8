#include "fixtune/data/glue.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "table_fields.h"
#include "fixtune/core/error.h"
#include "fixtune/io/table.h"

namespace fixtune {
namespace {

/// How a task's files are laid out.
struct Layout {
  Task task;
  std::string_view name;
  bool has_header;
  std::string_view text;
  std::string_view pair;  ///< empty: single sentences
  std::string_view label;
  std::vector<std::string> label_words;  ///< as in the files, in class order; empty: a score
  std::vector<std::string> label_names;
};

const std::array<Layout, 8>& layouts() {
  static const std::vector<std::string> digits = {"0", "1"};
  static const std::vector<std::string> entailment = {"entailment", "not_entailment"};
  static const std::vector<std::string> three_way = {"entailment", "neutral", "contradiction"};
  static const std::array<Layout, 8> all = {{
      {Task::CoLA, "cola", false, "3", "", "1", digits, {"unacceptable", "acceptable"}},
      {Task::SST2, "sst2", true, "sentence", "", "label", digits, {"negative", "positive"}},
      {Task::MRPC, "mrpc", true, "#1 String", "#2 String", "Quality", digits, {"not_equivalent", "equivalent"}},
      {Task::STSB, "stsb", true, "sentence1", "sentence2", "score", {}, {}},
      {Task::RTE, "rte", true, "sentence1", "sentence2", "label", entailment, entailment},
      {Task::QNLI, "qnli", true, "question", "sentence", "label", entailment, entailment},
      {Task::MNLI, "mnli", true, "sentence1", "sentence2", "gold_label", three_way, three_way},
      {Task::Text, "text", true, "", "", "", {}, {}},
  }};
  return all;
}

const Layout& layout_of(Task task) {
  const auto& all = layouts();
  return *std::find_if(all.begin(), all.end(), [&](const Layout& layout) { return layout.task == task; });
}

float score(const std::string& word, const std::string& path, Index line) {
  const std::optional<float> value = finite_number(word);
  if (!value || *value < 0 || *value > 5) fail("{}:{}: score \"{}\" is not a number from 0 to 5", path, line, word);
  return *value;
}

float class_number(const Layout& layout, const std::string& word, const std::string& path, Index line) {
  const auto& words = layout.label_words;
  const auto found = std::find(words.begin(), words.end(), word);
  if (found == words.end()) fail("{}:{}: label \"{}\" is none of {}", path, line, word, words);
  return static_cast<float>(found - words.begin());
}

void report_empty_sentences(const Dataset& data, const LogCallback& log) {
  const auto empty = std::count_if(data.examples.begin(), data.examples.end(), [](const Example& example) {
    return example.text.empty() || (example.pair && example.pair->empty());
  });
  if (log && empty > 0) log(fmt::format("{}: {} examples have an empty sentence", data.path, empty));
}

}  // namespace

Task parse_task(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Layout& layout : layouts()) {
    if (layout.name == name) return layout.task;
    names.push_back(layout.name);
  }
  fail("unknown task \"{}\"; there are {}, and for questions squad, squad2", name, fmt::join(names, ", "));
}

std::string_view task_name(Task task) { return layout_of(task).name; }

bool is_regression(Task task) { return task == Task::STSB; }

std::filesystem::path train_file(Task, const std::filesystem::path& folder) { return folder / "train.tsv"; }

std::filesystem::path dev_file(Task task, const std::filesystem::path& folder) {
  return folder / (task == Task::MNLI ? "dev_matched.tsv" : "dev.tsv");
}

Dataset read_glue(Task task, const std::filesystem::path& file, const LogCallback& log) {
  const Layout& layout = layout_of(task);
  const std::string path = file.string();
  if (task == Task::Text) fail("{}: task text has no GLUE layout; read it with read_text", path);
  Table table = read_table(file, TableFormat::Tsv, layout.has_header);
  const std::size_t text = column_index(table, layout.text, path);
  const std::size_t pair = layout.pair.empty() ? text : column_index(table, layout.pair, path);
  const std::size_t label = column_index(table, layout.label, path);
  Dataset data{path, layout.label_names, {}};
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    std::vector<std::string>& row = table.rows[i];
    Example example;
    example.line = table.lines[i];
    example.label = is_regression(task) ? score(row[label], path, example.line)
                                        : class_number(layout, row[label], path, example.line);
    if (pair != text) example.pair = std::move(row[pair]);
    example.text = std::move(row[text]);
    data.examples.push_back(std::move(example));
  }
  report_empty_sentences(data, log);
  return data;
}

}  // namespace fixtune
