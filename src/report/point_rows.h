#pragma once

#include <string>

#include "fixtune/report/point_plot.h"

namespace fixtune {

/// The plot lying on its side: a row a series, a colour a group.
std::string point_rows_svg(const PointPlot& plot);

}  // namespace fixtune
