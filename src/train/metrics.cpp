#include "fixtune/train/metrics.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>

namespace fixtune {
namespace {

struct Confusion {
  std::int64_t true_positive = 0;
  std::int64_t true_negative = 0;
  std::int64_t false_positive = 0;
  std::int64_t false_negative = 0;
};

Confusion confusion(std::span<const int> predicted, std::span<const int> labels) {
  Confusion c;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (predicted[i] == 1)
      ++(labels[i] == 1 ? c.true_positive : c.false_positive);
    else
      ++(labels[i] == 1 ? c.false_negative : c.true_negative);
  }
  return c;
}

double mean(std::span<const double> x) {
  return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
}

std::vector<double> mean_ranks(std::span<const double> x) {
  std::vector<std::size_t> order(x.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return x[a] < x[b]; });
  std::vector<double> ranks(x.size());
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin;
    while (end < order.size() && x[order[end]] == x[order[begin]]) ++end;
    for (std::size_t i = begin; i < end; ++i) ranks[order[i]] = 0.5 * static_cast<double>(begin + end - 1);
    begin = end;
  }
  return ranks;
}

}  // namespace

std::optional<double> accuracy(std::span<const int> predicted, std::span<const int> labels) {
  if (labels.empty()) return std::nullopt;
  std::size_t right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) right += predicted[i] == labels[i] ? 1 : 0;
  return static_cast<double>(right) / static_cast<double>(labels.size());
}

double f1(std::span<const int> predicted, std::span<const int> labels) {
  const Confusion c = confusion(predicted, labels);
  const auto denominator = static_cast<double>(2 * c.true_positive + c.false_positive + c.false_negative);
  return denominator == 0.0 ? 0.0 : static_cast<double>(2 * c.true_positive) / denominator;
}

double matthews_correlation(std::span<const int> predicted, std::span<const int> labels) {
  const Confusion c = confusion(predicted, labels);
  // Double before the products: four counts of a large set overflow 64 bits.
  const auto tp = static_cast<double>(c.true_positive);
  const auto tn = static_cast<double>(c.true_negative);
  const auto fp = static_cast<double>(c.false_positive);
  const auto fn = static_cast<double>(c.false_negative);
  const double denominator = std::sqrt((tp + fp) * (tp + fn)) * std::sqrt((tn + fp) * (tn + fn));
  return denominator == 0.0 ? 0.0 : (tp * tn - fp * fn) / denominator;
}

std::optional<double> pearson(std::span<const double> a, std::span<const double> b) {
  if (a.empty()) return std::nullopt;
  const double mean_a = mean(a);
  const double mean_b = mean(b);
  double ab = 0.0;
  double aa = 0.0;
  double bb = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab += (a[i] - mean_a) * (b[i] - mean_b);
    aa += (a[i] - mean_a) * (a[i] - mean_a);
    bb += (b[i] - mean_b) * (b[i] - mean_b);
  }
  if (aa == 0.0 || bb == 0.0) return std::nullopt;
  return ab / (std::sqrt(aa) * std::sqrt(bb));
}

std::optional<double> spearman(std::span<const double> a, std::span<const double> b) {
  if (a.empty()) return std::nullopt;
  const std::vector<double> ranks_a = mean_ranks(a);
  const std::vector<double> ranks_b = mean_ranks(b);
  return pearson(ranks_a, ranks_b);
}

Json to_json(const Metrics& metrics) {
  Json object = Json::object();
  for (const auto& [name, value] : metrics) object[name] = value ? Json(*value) : Json();
  return object;
}

Metrics parse_metrics(const Json& document) {
  Metrics metrics;
  for (const auto& [name, value] : document.items())
    metrics.emplace_back(name, value.is_null() ? std::nullopt : std::optional(value.get<double>()));
  return metrics;
}

}  // namespace fixtune
