#include "fixtune/report/axis.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "fixtune/core/error.h"

namespace fixtune {
namespace {

/// The smallest of 1, 2, 5, 10, ... and their parts that is at least `size`.
double round_up_to_step(double size) {
  const double power = std::pow(10.0, std::floor(std::log10(size)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= size) return factor * power;
  return 10.0 * power;
}

}  // namespace

std::vector<double> Axis::marks() const {
  std::vector<double> all;
  const auto count = std::lround((high - low) / step);
  for (long i = 0; i <= count; ++i) all.push_back(low + static_cast<double>(i) * step);
  return all;
}

int Axis::decimals() const { return std::max(0, static_cast<int>(-std::floor(std::log10(step) + 1e-9))); }

std::string Axis::label(double mark) const {
  return fmt::format("{:.{}f}", std::abs(mark) < step / 2 ? 0.0 : mark, decimals());
}

Axis axis_for(const std::vector<double>& values, int most) {
  if (values.empty()) fail("an axis needs values");
  for (const double value : values)
    if (!std::isfinite(value)) fail("an axis cannot show {}", value);
  const auto [least, largest] = std::minmax_element(values.begin(), values.end());
  const double magnitude = std::max(std::abs(*least), std::abs(*largest));
  const double range = *largest > *least ? *largest - *least : std::max(magnitude, 1.0);
  Axis axis;
  axis.step = round_up_to_step(range / most);
  axis.low = std::floor(*least / axis.step) * axis.step;
  axis.high = std::ceil(*largest / axis.step) * axis.step;
  if (axis.low == axis.high) axis.high += axis.step;
  return axis;
}

}  // namespace fixtune
