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
  std::string name;  ///< in the legend
  std::size_t colour = 0;  ///< see series_class()
  std::vector<PlotPoint> points;  ///< of the series
};

/// Groups of points with error bars, side by side, over one axis.
struct PointPlot {
  std::string title;  ///< above the plot
  std::string value_label;  ///< of the axis of values
  std::string reference_label;  ///< what the rings are; empty: there are none
  std::vector<std::string> groups;  ///< names along the other axis
  std::vector<PlotSeries> series;  ///< each with a colour
  std::optional<double> threshold;  ///< a dashed line across

  /// The plot as an SVG document. Throws Error unless every series has a point for each group and one has a value.
  std::string svg() const;
};

}  // namespace fixtune
