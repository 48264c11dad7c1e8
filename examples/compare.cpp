// Sets runs side by side: reads the JSON files that finetune wrote and prints one table, a line per run.
#include <fmt/format.h>

#include "fixtune/core/error.h"
#include "fixtune/io/json.h"
#include "fixtune/report/table.h"
#include "program/run.h"

namespace {

using namespace fixtune;

std::string mebibytes(const Json& bytes) { return fmt::format("{:.0f}", bytes.get<double>() / 0x1p20); }

std::vector<std::string> metric_names(const Json& run) {
  std::vector<std::string> names;
  if (!run.at("epochs").empty())
    for (const auto& [name, value] : run.at("epochs").back().at("metrics").items()) names.push_back(name);
  return names;
}

std::vector<std::string> row(const Json& run, const std::vector<std::string>& metrics) {
  std::vector<std::string> cells{run.at("recipe").get<std::string>()};
  for (const std::string& name : metrics) {
    const Json value = run.at("epochs").empty() ? Json() : run.at("epochs").back().at("metrics").value(name, Json());
    cells.push_back(value.is_number() ? fmt::format("{:.4f}", value.get<double>()) : "undefined");
  }
  cells.push_back(fmt::format("{:.1f}", run.at("seconds").get<double>()));
  cells.push_back(fmt::format("{:.0f}", run.at("tokens_per_second").get<double>()));
  cells.push_back(mebibytes(run.at("peak_memory_bytes")));
  cells.push_back(mebibytes(run.at("saved_activation_bytes")));
  return cells;
}

void compare(const std::vector<std::string>& files) {
  TextTable table;
  std::vector<std::string> metrics;
  for (const std::string& file : files) {
    const Json run = read_json(file);
    try {
      if (table.header.empty()) {
        metrics = metric_names(run);
        table.header = {"recipe"};
        table.header.insert(table.header.end(), metrics.begin(), metrics.end());
        for (const char* title : {"seconds", "tokens/s", "peak MiB", "saved MiB"}) table.header.emplace_back(title);
      }
      table.rows.push_back(row(run, metrics));
    } catch (const nlohmann::json::exception& error) {
      fail("{}: not a run's file: {}", file, error.what());
    }
  }
  fmt::print("{}", table.markdown());
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Set runs of finetune side by side", "compare");
  std::vector<std::string> files;
  app.add_option("files", files, "JSON files written by finetune --json")->required();
  return program::run(app, argc, argv, [&] { compare(files); });
}
