#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace fixtune::study {

/// Published numbers to set beside ours, by our recipes' names: means in percent, as printed.
struct Published {
  struct Row {
    std::string name;  ///< the publication's name of the recipe
    std::map<std::string, std::vector<double>> metrics;  ///< by task
  };
  std::string source;
  std::map<std::string, Row> rows;

  /// A task's mean metric; none where it was not published.
  std::optional<double> score(const std::string& task, const std::string& recipe) const;
  /// FP32's score less the recipe's.
  std::optional<double> loss(const std::string& task, const std::string& recipe) const;
};

/// Reads `{"source": TEXT, "rows": {RECIPE: {"name": TEXT, TASK: [METRIC, ...]}}}`. Throws Error naming the file.
Published read_published(const std::filesystem::path& file);

}  // namespace fixtune::study
