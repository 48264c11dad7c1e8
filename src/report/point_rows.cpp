#include "report/point_rows.h"

#include <fmt/format.h>

#include <algorithm>

#include "fixtune/report/axis.h"
#include "fixtune/report/svg_document.h"

namespace fixtune {
namespace {

constexpr double point_distance = 9, row_gap = 9, top = 72, bottom = 32, right = 56;
constexpr double plot_width = 480, point_radius = 3.5, cap = 2.5, character_width = 6.6, legend_entry = 110;

class Drawing {
 public:
  Drawing(const PointPlot& plot, const Axis& axis)
      : plot_(plot),
        axis_(axis),
        row_height_(static_cast<double>(plot.groups.size()) * point_distance + row_gap),
        left_(name_width(plot)),
        end_(top + row_height_ * static_cast<double>(plot.series.size())),
        document_(left_ + plot_width + right, end_ + bottom, plot.title) {}

  std::string draw() {
    document_.text(16, 18, plot_.title, Anchor::Start);
    draw_legend();
    draw_axis();
    for (std::size_t s = 0; s < plot_.series.size(); ++s) draw_row(s);
    return document_.str();
  }

 private:
  static double name_width(const PointPlot& plot) {
    std::size_t longest = 0;
    for (const PlotSeries& series : plot.series) longest = std::max(longest, series.name.size());
    return 24 + character_width * static_cast<double>(longest);
  }
  double x_of(double value) const { return left_ + plot_width * std::clamp(axis_.share(value), 0.0, 1.0); }

  void draw_legend() {
    double x = 16 + point_radius;
    for (std::size_t g = 0; g < plot_.groups.size(); ++g, x += legend_entry) {
      document_.circle(x, 38, point_radius, series_class(g));
      document_.text(x + 9, 42, plot_.groups[g], Anchor::Start);
    }
    if (plot_.reference_label.empty()) return;
    document_.ring(x, 38, point_radius, "line");
    document_.text(x + 9, 42, plot_.reference_label, Anchor::Start);
  }

  void draw_axis() {
    for (const double mark : axis_.marks()) {
      document_.line(x_of(mark), top - 6, x_of(mark), end_, "faint");
      document_.text(x_of(mark), top - 12, axis_.label(mark), Anchor::Middle);
    }
    document_.text(left_ + plot_width, end_ + 20, plot_.value_label, Anchor::End);
    if (plot_.threshold) document_.line(x_of(*plot_.threshold), top - 6, x_of(*plot_.threshold), end_, "line dashed");
  }

  void draw_row(std::size_t s) {
    const double begin = top + row_height_ * static_cast<double>(s);
    if (s > 0) document_.line(left_, begin, left_ + plot_width, begin, "faint");
    document_.text(left_ - 8, begin + row_height_ / 2 + 4, plot_.series[s].name, Anchor::End);
    for (std::size_t g = 0; g < plot_.groups.size(); ++g)
      draw_point(plot_.series[s].points[g], series_class(g),
                 begin + row_gap / 2 + (static_cast<double>(g) + 0.5) * point_distance);
  }

  void draw_point(const PlotPoint& point, const std::string& css_class, double y) {
    if (point.reference) document_.ring(x_of(*point.reference), y, point_radius, css_class);
    if (!point.value) return;
    if (point.spread) {
      const double low = x_of(*point.value - *point.spread);
      const double high = x_of(*point.value + *point.spread);
      document_.line(low, y, high, y, css_class);
      for (const double end : {low, high}) document_.line(end, y - cap, end, y + cap, css_class);
    }
    document_.circle(x_of(*point.value), y, point_radius, css_class);
    if (*point.value > axis_.high)
      document_.text(left_ + plot_width + 8, y + 4, fmt::format("{:.1f}", *point.value), Anchor::Start);
  }

  const PointPlot& plot_;
  Axis axis_;
  double row_height_;
  double left_;
  double end_;
  SvgDocument document_;
};

}  // namespace

std::string point_rows_svg(const PointPlot& plot, std::vector<double> extremes) {
  for (double& value : extremes) value = std::min(value, plot.most.value_or(value));
  return Drawing(plot, axis_for(extremes, 8)).draw();
}

}  // namespace fixtune
