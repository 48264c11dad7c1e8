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
/// F1 of class 1: \f$ 2\,\mathit{TP} / (2\,\mathit{TP} + \mathit{FP} + \mathit{FN}) \f$; 0 where nothing is predicted
/// and nothing labelled 1.
double f1(std::span<const int> predicted, std::span<const int> labels);
/// Matthews correlation of two classes,
/// \f[ \frac{\mathit{TP} \cdot \mathit{TN} - \mathit{FP} \cdot \mathit{FN}}
/// {\sqrt{(\mathit{TP}+\mathit{FP})(\mathit{TP}+\mathit{FN})(\mathit{TN}+\mathit{FP})(\mathit{TN}+\mathit{FN})}}, \f]
/// whatever is not 1 being the other class; 0 where the root is.
double matthews_correlation(std::span<const int> predicted, std::span<const int> labels);
/// Pearson's r,
/// \f[ \frac{\sum_i (a_i - \bar a)(b_i - \bar b)}
/// {\sqrt{\sum_i (a_i - \bar a)^2}\, \sqrt{\sum_i (b_i - \bar b)^2}}; \f]
/// none where a side is constant or empty.
std::optional<double> pearson(std::span<const double> a, std::span<const double> b);
/// Spearman's rank correlation: pearson() of the ranks, ties at their mean rank; none where a side is constant or
/// empty.
std::optional<double> spearman(std::span<const double> a, std::span<const double> b);

}  // namespace fixtune
