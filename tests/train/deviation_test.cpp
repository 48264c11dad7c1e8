#include "fixtune/train/deviation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace fixtune {
namespace {

Tensor row(std::initializer_list<float> values) {
  Tensor t(1, static_cast<Index>(values.size()));
  std::copy(values.begin(), values.end(), t.data());
  return t;
}

TEST(Deviation, IsThatOfAllTensorsTogether) {
  Deviation d;
  d.add(row({3.0F, 0.0F}), row({4.0F, 0.0F}));
  d.add(row({2.0F}), row({0.0F}));
  // |(-1, 0, 2)| / |(4, 0, 0)| and 12 / (|(3, 0, 2)| * 4)
  EXPECT_DOUBLE_EQ(d.relative_error(), std::sqrt(5.0) / 4.0);
  EXPECT_DOUBLE_EQ(d.cosine(), 3.0 / std::sqrt(13.0));
}

TEST(Deviation, EqualAndVanishingTensors) {
  Deviation equal;
  equal.add(row({1e-30F, -2.0F}), row({1e-30F, -2.0F}));
  EXPECT_EQ(equal.relative_error(), 0.0);
  EXPECT_DOUBLE_EQ(equal.cosine(), 1.0);
  Deviation vanished;
  vanished.add(row({1.0F}), row({0.0F}));
  EXPECT_EQ(vanished.relative_error(), std::numeric_limits<double>::infinity());
  EXPECT_EQ(vanished.cosine(), 0.0);
}

TEST(Deviation, RefusesOtherShapes) { EXPECT_THROW(Deviation{}.add(row({1.0F}), row({1.0F, 2.0F})), Error); }

}  // namespace
}  // namespace fixtune
