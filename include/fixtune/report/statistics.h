#pragma once

#include <optional>
#include <span>

namespace fixtune {

/// The arithmetic mean of a sample; none for no values.
std::optional<double> mean(std::span<const double> values);

/// The sample's standard deviation, sqrt(sum (x - mean)^2 / (n - 1)); none for fewer than two values.
std::optional<double> standard_deviation(std::span<const double> values);

/// The mean's standard error, standard deviation / sqrt(n); none for fewer than two values.
std::optional<double> standard_error(std::span<const double> values);

}  // namespace fixtune
