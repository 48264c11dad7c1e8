#include "fixtune/report/point_plot.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "fixtune/report/svg_document.h"
#include "report/xml_check.h"
#include "temporary_folder.h"

namespace fixtune {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

PointPlot plot() {
  PointPlot plot;
  plot.title = "a < b & \"c\"";
  plot.value_label = "percent";
  plot.reference_label = "the paper";
  plot.groups = {"first", "second"};
  plot.series = {{"one", 0, {{10.0, 2.0, 12.0}, {20.0, {}, {}}}}, {"two", 1, {{}, {15.0, 1.0, {}}}}};
  return plot;
}

std::vector<double> numbers(const std::string& svg, const std::string& pattern) {
  const std::regex expression(pattern);
  std::vector<double> values;
  for (std::sregex_iterator match(svg.begin(), svg.end(), expression), end; match != end; ++match)
    values.push_back(std::stod((*match)[1]));
  return values;
}

TEST(XmlCheck, FindsFaults) {
  EXPECT_EQ(xml_fault("<a b=\"c\"><d/>&lt;</a>\n"), "");
  for (const char* bad : {"<a>", "<a></b>", "<a>&</a>", "<a>></a>", "<a b=\"></a>", "<a/><b/>", "<a/>text", "<a"})
    EXPECT_NE(xml_fault(bad), "") << bad;
}

TEST(PointPlot, IsWellFormedWithItsTextsEscaped) {
  const std::string svg = plot().svg();
  EXPECT_EQ(xml_fault(svg), "");
  EXPECT_THAT(svg, HasSubstr("<title>a &lt; b &amp; &quot;c&quot;</title>"));
  for (const char* text : {">first<", ">second<", ">one<", ">two<", ">percent<", ">the paper<", "prefers-color-scheme:dark"})
    EXPECT_THAT(svg, HasSubstr(text));
}

TEST(PointPlot, PutsPointsWhereTheAxisSays) {
  const std::string svg = plot().svg();
  // The axis runs from 8 to 20 (bars included): 260 pixels below 64.
  const auto y_of = [](double value) { return 64.0 + 260.0 * (1.0 - (value - 8.0) / 12.0); };
  const std::vector<double> first = numbers(svg, "<circle class=\"s0\" cx=\"[0-9.]+\" cy=\"([0-9.]+)\"");
  ASSERT_EQ(first.size(), 3U) << "legend and two points";
  EXPECT_NEAR(first[1], y_of(10.0), 0.06);
  EXPECT_NEAR(first[2], y_of(20.0), 0.06);
  const std::vector<double> rings = numbers(svg, "<circle class=\"s0 ring\" cx=\"[0-9.]+\" cy=\"([0-9.]+)\"");
  ASSERT_EQ(rings.size(), 1U);
  EXPECT_NEAR(rings[0], y_of(12.0), 0.06);
  const std::vector<double> bars = numbers(svg, "<line class=\"s0\" x1=\"[0-9.]+\" y1=\"([0-9.]+)\"");
  ASSERT_EQ(bars.size(), 3U) << "a bar and its two ends; no bar for a value without spread";
  EXPECT_NEAR(bars[0], y_of(8.0), 0.06);
}

TEST(PointPlot, ShowsAThreshold) {
  PointPlot with = plot();
  EXPECT_THAT(with.svg(), Not(HasSubstr("\"line dashed\"")));
  with.threshold = 0.5;
  EXPECT_THAT(with.svg(), HasSubstr("\"line dashed\""));
}

TEST(PointPlot, RefusesMissingPointsAndNothingToShow) {
  PointPlot uneven = plot();
  uneven.series[1].points.pop_back();
  EXPECT_THAT(error_of([&] { uneven.svg(); }), HasSubstr("two has 1 points for 2 groups"));
  PointPlot nothing = plot();
  for (PlotSeries& series : nothing.series) series.points.assign(2, {});
  EXPECT_THAT(error_of([&] { nothing.svg(); }), HasSubstr("nothing to show"));
}

TEST(PointPlot, ManySeriesBecomeRows) {
  PointPlot many = plot();
  many.series.clear();
  many.threshold = 0.5;
  many.most = 10.0;
  for (int i = 0; i < 8; ++i) many.series.push_back({fmt::format("r{}", i), 0, {{0.0, {}, {}}, {}}});
  many.series.push_back({"broken", 0, {{80.0, {}, {}}, {4.0, 1.0, {}}}});
  const std::string svg = many.svg();
  EXPECT_EQ(xml_fault(svg), "");
  for (const char* text : {">r0<", ">broken<", ">first<", ">second<", ">percent<", ">80.0<"}) EXPECT_THAT(svg, HasSubstr(text));
  // The names take 24 + 6 * 6.6 pixels; the axis runs from 0 to 10 over 480, and what lies past it is at its end.
  const double left = 24 + 6 * 6.6;
  const std::vector<double> first = numbers(svg, "<circle class=\"s0\" cx=\"([0-9.]+)\"");
  ASSERT_EQ(first.size(), 10U) << "legend and nine points";
  EXPECT_NEAR(first[1], left, 0.06);
  EXPECT_NEAR(first[9], left + 480, 0.06);
  const std::vector<double> second = numbers(svg, "<circle class=\"s1\" cx=\"([0-9.]+)\"");
  ASSERT_EQ(second.size(), 2U);
  EXPECT_NEAR(second[1], left + 480 * 0.4, 0.06);
}

}  // namespace
}  // namespace fixtune
