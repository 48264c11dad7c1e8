#include "study/published.h"

#include "fixtune/core/error.h"
#include "fixtune/io/json.h"
#include "fixtune/report/statistics.h"

namespace fixtune::study {

std::optional<double> Published::score(const std::string& task, const std::string& recipe) const {
  const auto row = rows.find(recipe);
  if (row == rows.end()) return std::nullopt;
  const auto metrics = row->second.metrics.find(task);
  return metrics == row->second.metrics.end() ? std::nullopt : mean(metrics->second);
}

std::optional<double> Published::loss(const std::string& task, const std::string& recipe) const {
  const std::optional<double> exact = score(task, "fp32");
  const std::optional<double> other = score(task, recipe);
  if (!exact || !other) return std::nullopt;
  return *exact - *other;
}

Published read_published(const std::filesystem::path& file) {
  const Json document = read_json(file);
  Published published;
  try {
    published.source = document.at("source").get<std::string>();
    for (const auto& [recipe, fields] : document.at("rows").items()) {
      Published::Row& row = published.rows[recipe];
      for (const auto& [field, value] : fields.items()) {
        if (field == "name")
          row.name = value.get<std::string>();
        else
          row.metrics[field] = value.get<std::vector<double>>();
      }
    }
  } catch (const nlohmann::json::exception& error) {
    fail("{}: not a file of published numbers: {}", file.string(), error.what());
  }
  return published;
}

}  // namespace fixtune::study
