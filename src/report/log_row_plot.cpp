#include "fixtune/report/log_row_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "fixtune/core/error.h"
#include "fixtune/report/svg_document.h"

namespace fixtune {
namespace {

constexpr double row_height = 18, top = 72, bottom = 32, right = 24;
constexpr double plot_width = 420, point_radius = 4, character_width = 6.6;
constexpr double legend_entry = 120;

bool shows(const std::optional<double>& value) { return value && *value > 0.0 && std::isfinite(*value); }

/// The powers of ten that hold every value.
struct Decades {
  int low = 0;
  int high = 0;

  double share(double value) const { return (std::log10(value) - low) / (high - low); }
};

Decades decades_of(const LogRowPlot& plot) {
  double least = 0.0;
  double largest = 0.0;
  for (const PlotRow& row : plot.rows) {
    if (!row.values.empty() && row.values.size() != plot.series.size())
      fail("plot \"{}\": row {} has {} values for {} series", plot.title, row.name, row.values.size(), plot.series.size());
    for (const auto& value : row.values) {
      if (!shows(value)) continue;
      least = least == 0.0 ? *value : std::min(least, *value);
      largest = std::max(largest, *value);
    }
  }
  if (largest == 0.0) fail("plot \"{}\": there is nothing to show", plot.title);
  Decades d{static_cast<int>(std::floor(std::log10(least))), static_cast<int>(std::ceil(std::log10(largest)))};
  if (d.low == d.high) ++d.high;
  return d;
}

/// Draws one plot.
class Drawing {
 public:
  explicit Drawing(const LogRowPlot& plot)
      : plot_(plot),
        decades_(decades_of(plot)),
        left_(name_width(plot)),
        end_(top + row_height * static_cast<double>(plot.rows.size())),
        document_(left_ + plot_width + right, end_ + bottom, plot.title) {}

  std::string draw() {
    document_.text(16, 20, plot_.title, Anchor::Start);
    for (std::size_t s = 0; s < plot_.series.size(); ++s) {
      const double x = 16 + point_radius + static_cast<double>(s) * legend_entry;
      document_.circle(x, 38, point_radius, series_class(s));
      document_.text(x + 9, 42, plot_.series[s], Anchor::Start);
    }
    draw_axis();
    for (std::size_t r = 0; r < plot_.rows.size(); ++r) draw_row(r);
    return document_.str();
  }

 private:
  static double name_width(const LogRowPlot& plot) {
    std::size_t longest = 0;
    for (const PlotRow& row : plot.rows) longest = std::max(longest, row.name.size());
    return 24 + character_width * static_cast<double>(longest);
  }
  double x_of(double value) const { return left_ + plot_width * decades_.share(value); }

  void draw_axis() {
    document_.text(left_ + plot_width, end_ + 20, plot_.value_label, Anchor::End);
    for (int d = decades_.low; d <= decades_.high; ++d) {
      const double x = x_of(std::pow(10.0, d));
      document_.line(x, top - 6, x, end_, "faint");
      document_.text(x, top - 12, fmt::format("{:g}", std::pow(10.0, d)), Anchor::Middle);
    }
  }

  void draw_row(std::size_t r) {
    const PlotRow& row = plot_.rows[r];
    const double y = top + row_height * (static_cast<double>(r) + 0.5);
    if (row.values.empty()) {
      document_.text(16, y + 4, row.name, Anchor::Start);
      document_.line(16, y + 9, left_ + plot_width, y + 9, "line");
      return;
    }
    document_.text(left_ - 8, y + 4, row.name, Anchor::End);
    document_.line(left_, y, left_ + plot_width, y, "faint");
    for (std::size_t s = 0; s < row.values.size(); ++s)
      if (shows(row.values[s])) document_.circle(x_of(*row.values[s]), y, point_radius, series_class(s));
  }

  const LogRowPlot& plot_;
  Decades decades_;
  double left_;
  double end_;
  SvgDocument document_;
};

}  // namespace

std::string LogRowPlot::svg() const { return Drawing(*this).draw(); }

}  // namespace fixtune
