#pragma once

#include <optional>
#include <string>
#include <vector>

namespace fixtune {

/// One line of a plot: its name, and a value of each series; a line without values is a heading.
struct PlotRow {
  std::string name;                           ///< left of the axis
  std::vector<std::optional<double>> values;  ///< one a series, in their order; none: no point
};

/// Rows of points over one logarithmic axis: many things, each with a few positive figures of any size.
struct LogRowPlot {
  std::string title;                ///< above the plot, and what a reader who cannot see it is told
  std::string value_label;          ///< below the axis
  std::vector<std::string> series;  ///< their names; series i has the colour series_class(i)
  std::vector<PlotRow> rows;        ///< from top to bottom

  /// The plot as an SVG document; values that are not above 0 (no error at all) are left out. Throws Error unless every
  /// row is a heading or has a value a series, and one value can be shown.
  std::string svg() const;
};

}  // namespace fixtune
