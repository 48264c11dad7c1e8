#include "fixtune/train/outlier_log.h"

#include <algorithm>

#include "fixtune/core/error.h"

namespace fixtune {

void OutlierLog::add(std::string_view layer, const OutlierStatistics& s) {
  auto found = std::find_if(layers_.begin(), layers_.end(), [&](const auto& entry) { return entry.first == layer; });
  if (found == layers_.end()) found = layers_.insert(found, {std::string(layer), Sum{}});
  Sum& sum = found->second;
  sum.elements += static_cast<double>(s.elements);
  sum.outliers += static_cast<double>(s.outliers);
  sum.columns += static_cast<double>(s.outlier_columns);
  sum.forwards += 1;
  sum.largest = std::max(sum.largest, s.largest);
  sum.step = std::max(sum.step, s.step);
}

Json OutlierLog::to_json() const {
  Json all = Json::object();
  for (const auto& [layer, sum] : layers_)
    all[layer] = {{"element_share", sum.elements > 0 ? sum.outliers / sum.elements : 0.0},
                  {"columns_mean", sum.columns / sum.forwards},
                  {"largest", sum.largest},
                  {"step", sum.step}};
  return all;
}

Json OutlierLog::sums() const {
  Json all = Json::object();
  for (const auto& [layer, sum] : layers_)
    all[layer] = {{"elements", sum.elements}, {"outliers", sum.outliers}, {"columns", sum.columns},
                  {"forwards", sum.forwards}, {"largest", sum.largest},   {"step", sum.step}};
  return all;
}

OutlierLog OutlierLog::from_sums(const Json& sums, std::string_view where) try {
  OutlierLog log;
  for (const auto& [layer, sum] : sums.items())
    log.layers_.emplace_back(layer, Sum{sum.at("elements"), sum.at("outliers"), sum.at("columns"), sum.at("forwards"),
                                        sum.at("largest"), sum.at("step")});
  return log;
} catch (const nlohmann::json::exception& error) {
  fail("{}: {}", where, error.what());
}

}  // namespace fixtune
