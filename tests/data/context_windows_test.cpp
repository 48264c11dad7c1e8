#include "fixtune/data/context_windows.h"

#include <gmock/gmock.h>

#include "../temporary_folder.h"

namespace fixtune {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(ContextWindows, NeighboursShareTheOverlap) {
  EXPECT_THAT(context_windows(12, 6, 2),
              ElementsAre(ContextWindow{0, 6}, ContextWindow{4, 6}, ContextWindow{8, 4}));
  EXPECT_EQ(context_windows(12, 6, 5).size(), 7U);
  EXPECT_EQ(context_windows(12, 1, 0).size(), 12U);
}

TEST(ContextWindows, TheFirstToReachTheEndIsTheLast) {
  EXPECT_THAT(context_windows(10, 6, 2), ElementsAre(ContextWindow{0, 6}, ContextWindow{4, 6}));
  EXPECT_THAT(context_windows(6, 6, 100), ElementsAre(ContextWindow{0, 6}));
  EXPECT_THAT(context_windows(0, 6, 2), ElementsAre(ContextWindow{0, 0}));
}

TEST(ContextWindows, WhatCannotAdvanceIsRefused) {
  EXPECT_THAT(error_of([] { context_windows(12, 6, 6); }), HasSubstr("--doc-stride 6"));
  EXPECT_THAT(error_of([] { context_windows(12, 6, 60); }), HasSubstr("--doc-stride 60"));
  EXPECT_THAT(error_of([] { context_windows(12, 6, -1); }), HasSubstr("--doc-stride -1"));
  EXPECT_THAT(error_of([] { context_windows(12, 0, 0); }), HasSubstr("no room"));
  EXPECT_THAT(error_of([] { context_windows(12, -5, -9); }), HasSubstr("no room"));
}

TEST(ContextWindows, EveryTokenIsInAWindow) {
  for (Index tokens = 0; tokens <= 20; ++tokens)
    for (Index room = 1; room <= 8; ++room)
      for (Index overlap = 0; overlap < room; ++overlap) {
        Index covered = 0;
        for (const ContextWindow& window : context_windows(tokens, room, overlap)) {
          EXPECT_LE(window.count, room);
          EXPECT_LE(window.first, covered) << "a gap";
          EXPECT_TRUE(window.first + window.count > covered || tokens == 0) << "a window that adds nothing";
          covered = window.first + window.count;
        }
        EXPECT_EQ(covered, tokens) << room << " " << overlap;
      }
}

}  // namespace
}  // namespace fixtune
