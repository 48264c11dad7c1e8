#pragma once

#include <string>
#include <vector>

#include "fixtune/report/point_plot.h"

namespace fixtune {

/// The plot lying on its side: a row a series, a colour a group.
/// `extremes`: everything the axis must reach, but for what lies past `plot.most`.
std::string point_rows_svg(const PointPlot& plot, std::vector<double> extremes);

}  // namespace fixtune
