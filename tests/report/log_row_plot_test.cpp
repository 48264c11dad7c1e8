#include "fixtune/report/log_row_plot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <regex>

#include "fixtune/core/error.h"

namespace fixtune {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

LogRowPlot small_plot() {
  LogRowPlot plot;
  plot.title = "Errors & more";
  plot.value_label = "relative error";
  plot.series = {"hidden", "gradients"};
  plot.rows = {{"gamma", {}}, {"5", {0.01, 1.0}}, {"3", {0.1, std::nullopt}}};
  return plot;
}

/// The x of every series point, in the order drawn; the legend's come first.
std::vector<double> points(const std::string& svg) {
  static const std::regex circle("<circle class=\"s[0-9]\" cx=\"([0-9.]+)\"");
  std::vector<double> x;
  for (std::sregex_iterator i(svg.begin(), svg.end(), circle), end; i != end; ++i) x.push_back(std::stod((*i)[1]));
  return x;
}

TEST(LogRowPlot, EqualFactorsAreEqualDistances) {
  const std::vector<double> x = points(small_plot().svg());
  ASSERT_EQ(x.size(), 2U + 3U);
  EXPECT_NEAR(x[3] - x[2], 2.0 * (x[4] - x[2]), 0.2);
  EXPECT_GT(x[4], x[2]);
}

TEST(LogRowPlot, NamesAndMarksAreThere) {
  const std::string svg = small_plot().svg();
  for (const char* text : {"Errors &amp; more", "relative error", ">gamma<", ">0.01<", ">0.1<", ">1<"})
    EXPECT_THAT(svg, HasSubstr(text));
}

TEST(LogRowPlot, WhatALogarithmCannotShowIsLeftOut) {
  LogRowPlot plot = small_plot();
  plot.rows.push_back({"none", {0.0, std::numeric_limits<double>::quiet_NaN()}});
  EXPECT_EQ(points(plot.svg()).size(), 2U + 3U);
  EXPECT_THAT(plot.svg(), Not(HasSubstr("nan")));
}

TEST(LogRowPlot, OneValueHasAnAxis) {
  LogRowPlot plot = small_plot();
  plot.rows = {{"one", {1.0, std::nullopt}}};
  EXPECT_EQ(points(plot.svg()).size(), 2U + 1U);
}

TEST(LogRowPlot, RefusesWhatDoesNotFit) {
  LogRowPlot plot = small_plot();
  plot.rows[1].values.pop_back();
  EXPECT_THROW(plot.svg(), Error);
  plot.rows = {{"none", {0.0, std::nullopt}}};
  EXPECT_THROW(plot.svg(), Error);
}

}  // namespace
}  // namespace fixtune
