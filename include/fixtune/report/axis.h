#pragma once

#include <string>
#include <vector>

namespace fixtune {

/// A linear axis: values from `low` to `high` with a mark at each multiple of `step`, a round number.
struct Axis {
  double low = 0.0;   ///< value of the first mark
  double high = 1.0;  ///< value of the last mark, above `low`
  double step = 1.0;  ///< between two marks; divides high - low

  /// The marks from low to high.
  std::vector<double> marks() const;
  /// Digits after the point that tell the marks apart.
  int decimals() const;
  /// A mark as text; one that rounding left just below zero reads 0.
  std::string label(double mark) const;
  /// Where a value lies: 0 at low, 1 at high.
  double share(double value) const { return (value - low) / (high - low); }
};

/// The axis that holds every value, its ends on marks, with a step of 1, 2 or 5 times a power of ten that gives at most
/// `most` intervals inside the values' range. Throws Error for values that are not finite, or none.
Axis axis_for(const std::vector<double>& values, int most);

}  // namespace fixtune
