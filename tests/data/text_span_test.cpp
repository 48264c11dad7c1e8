#include "fixtune/data/text_span.h"

#include <gtest/gtest.h>

namespace fixtune {
namespace {

const std::string text = "a\xC3\xA9\xE4\xBD\xA0\xF0\x9F\x98\x80z";  // a, e acute, an ideograph, a smiley, z

TEST(TextSpan, CountsCodePoints) {
  EXPECT_EQ(count_code_points(""), 0);
  EXPECT_EQ(count_code_points(text), 5);
}

TEST(TextSpan, TakesCodePoints) {
  EXPECT_EQ(substring(text, {0, 5}), text);
  EXPECT_EQ(substring(text, {1, 2}), "\xC3\xA9");
  EXPECT_EQ(substring(text, {2, 4}), "\xE4\xBD\xA0\xF0\x9F\x98\x80");
  EXPECT_EQ(substring(text, {4, 5}), "z");
  EXPECT_EQ(substring(text, {2, 2}), "");
}

TEST(TextSpan, WhatLiesPastTheEndIsLeftOut) {
  EXPECT_EQ(substring(text, {4, 9}), "z");
  EXPECT_EQ(substring(text, {7, 9}), "");
  EXPECT_EQ(substring("", {0, 1}), "");
}

}  // namespace
}  // namespace fixtune
