#pragma once

#include <optional>
#include <string>
#include <vector>

namespace fixtune {

/// One line of a plot: its name, and a value of each series; a line without values is a heading.
struct PlotRow {
  std::string name;  ///< of the row, at its left
  std::vector<std::optional<double>> values;  ///< by series; none: no mark
};

/// Rows of points over one logarithmic axis: many things, each with a few positive figures of any size.
struct LogRowPlot {
  std::string title;  ///< above the plot
  std::string value_label;  ///< of the axis
  std::vector<std::string> series;  ///< names, in the order of the values
  std::vector<PlotRow> rows;  ///< from the top

  /// The plot as an SVG document; values that are not above 0 (no error at all) are left out. Throws Error unless every
  /// row is a heading or has a value a series, and one value can be shown.
  std::string svg() const;
};

}  // namespace fixtune
