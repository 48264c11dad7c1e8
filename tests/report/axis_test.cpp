#include "fixtune/report/axis.h"

#include <gtest/gtest.h>

#include <limits>

#include "temporary_folder.h"

namespace fixtune {
namespace {

TEST(Axis, HasRoundMarksAroundAllValues) {
  const Axis axis = axis_for({43.5, 91.9}, 8);
  EXPECT_EQ(axis.low, 40.0);
  EXPECT_EQ(axis.high, 100.0);
  EXPECT_EQ(axis.step, 10.0);
  EXPECT_EQ(axis.marks(), (std::vector<double>{40, 50, 60, 70, 80, 90, 100}));
  EXPECT_EQ(axis.decimals(), 0);
  EXPECT_DOUBLE_EQ(axis.share(70.0), 0.5);
}

TEST(Axis, TellsSmallStepsApart) {
  const Axis axis = axis_for({-0.31, 0.42}, 8);
  EXPECT_DOUBLE_EQ(axis.step, 0.1);
  EXPECT_EQ(axis.decimals(), 1);
  EXPECT_EQ(axis.marks().size(), 10U);  // -0.4 to 0.5
  EXPECT_EQ(axis_for({0.001, 0.0019}, 5).decimals(), 4);
}

TEST(Axis, LabelsItsMarksAlike) {
  const Axis axis = axis_for({-0.31, 0.42}, 8);
  EXPECT_EQ(axis.label(-0.4), "-0.4");
  EXPECT_EQ(axis.label(-1e-17), "0.0");
  EXPECT_EQ(axis.label(0.5), "0.5");
}

TEST(Axis, OfOneValueIsNotEmpty) {
  for (const double value : {0.0, 5.0, -3.25, 1e-9}) {
    const Axis axis = axis_for({value}, 8);
    EXPECT_LE(axis.low, value);
    EXPECT_GE(axis.high, value);
    EXPECT_LT(axis.low, axis.high);
  }
}

TEST(Axis, RefusesWhatItCannotShow) {
  EXPECT_NE(error_of([] { axis_for({}, 8); }), "no error");
  EXPECT_NE(error_of([] { axis_for({1.0, std::numeric_limits<double>::infinity()}, 8); }), "no error");
}

}  // namespace
}  // namespace fixtune
