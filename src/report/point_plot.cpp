#include "fixtune/report/point_plot.h"

#include <algorithm>
#include <cmath>

#include "fixtune/core/error.h"
#include "fixtune/report/axis.h"
#include "fixtune/report/svg_document.h"
#include "report/point_rows.h"

namespace fixtune {
namespace {

constexpr double left = 60, right = 16, top = 64, bottom = 36;
constexpr double plot_height = 260, point_distance = 15, group_gap = 26;
constexpr double point_radius = 4, cap = 3;
constexpr double legend_entry = 96;

/// Everything the value axis must reach.
std::vector<double> extremes(const PointPlot& plot) {
  std::vector<double> values;
  for (const PlotSeries& series : plot.series)
    for (const PlotPoint& point : series.points) {
      if (point.value)
        for (const double side : {-1.0, 1.0}) values.push_back(*point.value + side * point.spread.value_or(0.0));
      if (point.reference) values.push_back(*point.reference);
    }
  if (plot.threshold && !values.empty()) values.push_back(*plot.threshold);
  return values;
}

double legend_width(const PointPlot& plot) {
  const std::size_t entries = plot.series.size() + (plot.reference_label.empty() ? 0 : 1);
  return static_cast<double>(entries) * legend_entry;
}

/// Draws one plot.
class Drawing {
 public:
  explicit Drawing(const PointPlot& plot)
      : plot_(plot),
        axis_(axis_for(extremes(plot), 8)),
        group_width_(static_cast<double>(plot.series.size()) * point_distance + group_gap),
        width_(left + std::max(static_cast<double>(plot.groups.size()) * group_width_ + right, legend_width(plot))),
        document_(width_, top + plot_height + bottom, plot.title) {}

  std::string draw() {
    document_.text(left, 18, plot_.title, Anchor::Start);
    draw_legend();
    draw_axis();
    for (std::size_t g = 0; g < plot_.groups.size(); ++g) {
      document_.text(group_start(g) + group_width_ / 2, top + plot_height + 20, plot_.groups[g], Anchor::Middle);
      for (std::size_t s = 0; s < plot_.series.size(); ++s) draw_point(s, g);
    }
    return document_.str();
  }

 private:
  double y_of(double value) const { return top + plot_height * (1.0 - axis_.share(value)); }
  double group_start(std::size_t group) const { return left + static_cast<double>(group) * group_width_; }
  double x_of(std::size_t series, std::size_t group) const {
    return group_start(group) + group_gap / 2 + (static_cast<double>(series) + 0.5) * point_distance;
  }

  void draw_legend() {
    double x = left + point_radius;
    for (std::size_t s = 0; s < plot_.series.size(); ++s, x += legend_entry) {
      document_.circle(x, 38, point_radius, series_class(plot_.series[s].colour));
      document_.text(x + 9, 42, plot_.series[s].name, Anchor::Start);
    }
    if (plot_.reference_label.empty()) return;
    document_.ring(x, 38, point_radius, "line");
    document_.text(x + 9, 42, plot_.reference_label, Anchor::Start);
  }

  void draw_axis() {
    const double end = width_ - right;
    for (const double mark : axis_.marks()) {
      document_.line(left, y_of(mark), end, y_of(mark), "faint");
      document_.text(left - 8, y_of(mark) + 4, axis_.label(mark), Anchor::End);
    }
    for (std::size_t g = 1; g < plot_.groups.size(); ++g)
      document_.line(group_start(g), top, group_start(g), top + plot_height, "faint");
    document_.line(left, top, left, top + plot_height, "line");
    document_.upward_text(16, top + plot_height / 2, plot_.value_label, Anchor::Middle);
    if (plot_.threshold) document_.line(left, y_of(*plot_.threshold), end, y_of(*plot_.threshold), "line dashed");
  }

  void draw_point(std::size_t series, std::size_t group) {
    const PlotPoint& point = plot_.series[series].points[group];
    const std::string css_class = series_class(plot_.series[series].colour);
    const double x = x_of(series, group);
    if (point.reference) document_.ring(x, y_of(*point.reference), point_radius, css_class);
    if (!point.value) return;
    if (point.spread) {
      const double low = y_of(*point.value - *point.spread);
      const double high = y_of(*point.value + *point.spread);
      document_.line(x, low, x, high, css_class);
      for (const double end : {low, high}) document_.line(x - cap, end, x + cap, end, css_class);
    }
    document_.circle(x, y_of(*point.value), point_radius, css_class);
  }

  const PointPlot& plot_;
  Axis axis_;
  double group_width_;
  double width_;
  SvgDocument document_;
};

}  // namespace

std::string PointPlot::svg() const {
  for (const PlotSeries& one : series)
    if (one.points.size() != groups.size())
      fail("plot \"{}\": series {} has {} points for {} groups", title, one.name, one.points.size(), groups.size());
  if (extremes(*this).empty()) fail("plot \"{}\": there is nothing to show", title);
  // More would neither have a colour each nor fit a page side by side.
  return series.size() > SvgDocument::series_colours ? point_rows_svg(*this, extremes(*this)) : Drawing(*this).draw();
}

}  // namespace fixtune
