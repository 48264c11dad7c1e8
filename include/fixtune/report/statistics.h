#pragma once

#include <optional>
#include <span>

namespace fixtune {

/// The arithmetic mean of a sample; none for no values.
std::optional<double> mean(std::span<const double> values);

/// The sample's standard deviation, \f$ \sqrt{\sum_i (x_i - \bar x)^2 / (n - 1)} \f$; none for fewer than two values.
std::optional<double> standard_deviation(std::span<const double> values);

/// The mean's standard error, standard_deviation() / \f$ \sqrt n \f$; none for fewer than two values.
std::optional<double> standard_error(std::span<const double> values);

}  // namespace fixtune
