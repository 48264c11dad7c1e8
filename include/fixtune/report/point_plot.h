#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace fixtune {

/// One point of a plot: a value, what it spreads over on either side, and another's value to set beside it.
struct PlotPoint {
  std::optional<double> value;      ///< a filled point
  std::optional<double> spread;     ///< half the length of its error bar
  std::optional<double> reference;  ///< a ring
};

/// The points of one colour, one a group.
struct PlotSeries {
  std::string name;               ///< in the legend
  std::size_t colour = 0;         ///< see series_class()
  std::vector<PlotPoint> points;  ///< in the order of the groups
};

/// Groups of points with error bars, side by side, over one axis.
struct PointPlot {
  std::string title;                ///< above the plot, and what a reader who cannot see it is told
  std::string value_label;          ///< along the axis of values
  std::string reference_label;      ///< in the legend, what the rings are; empty: no entry for them
  std::vector<std::string> groups;  ///< their names, from left to right
  std::vector<PlotSeries> series;   ///< from left to right in each group
  std::optional<double> threshold;  ///< a dashed line across
  std::optional<double> most;       ///< in a plot of rows: points past it are written at the axis' end

  /// The plot as an SVG document; more than eight series become rows, and the groups colours. Throws Error unless every
  /// series has a point for each group and one has a value.
  std::string svg() const;
};

}  // namespace fixtune
