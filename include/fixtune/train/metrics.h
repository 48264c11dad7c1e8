#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "fixtune/io/json.h"

namespace fixtune {

/// Metrics by name, in the order they are shown; none where a metric is undefined (a constant prediction's r).
using Metrics = std::vector<std::pair<std::string, std::optional<double>>>;

/// An object of name and value, null where a metric is undefined.
Json to_json(const Metrics& metrics);
/// The metrics that to_json wrote. Throws nlohmann::json::exception for another document.
Metrics parse_metrics(const Json& document);

/// Share of predictions equal to their label; none for no rows.
std::optional<double> accuracy(std::span<const int> predicted, std::span<const int> labels);
/// F1 of class 1: \f$ 2\,TP / (2\,TP + FP + FN) \f$; 0 where nothing is predicted and nothing labelled 1.
double f1(std::span<const int> predicted, std::span<const int> labels);
/// Matthews correlation,
/// \f$ (TP \cdot TN - FP \cdot FN) / \sqrt{(TP+FP)(TP+FN)(TN+FP)(TN+FN)} \f$ for two classes; 0 where undefined.
double matthews_correlation(std::span<const int> predicted, std::span<const int> labels);
/// Pearson's r; none where a side is constant.
std::optional<double> pearson(std::span<const double> a, std::span<const double> b);
/// Spearman's rank correlation, ties at their mean rank; none where a side is constant.
std::optional<double> spearman(std::span<const double> a, std::span<const double> b);

}  // namespace fixtune
