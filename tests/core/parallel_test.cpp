#include "fixtune/core/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <vector>

#include "fixtune/core/error.h"

namespace fixtune {
namespace {

TEST(Parallel, CoversEveryIndexOnce) {
  for (const Index n : {0, 1, 2, 7, 1000}) {
    std::vector<std::atomic<int>> visits(static_cast<std::size_t>(n));
    parallel_for(n, 1, [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
    });
    for (const auto& v : visits) EXPECT_EQ(v.load(), 1);
  }
}

TEST(Parallel, AnErrorReachesTheCaller) {
  EXPECT_THROW(parallel_for(100, 1, [](Index, Index end) { if (end == 100) fail("row {}", 99); }), Error);
}

TEST(Parallel, NestedCallsRunOnTheirThread) {
  std::atomic<int> sum = 0;
  parallel_for(8, 1, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i)
      parallel_for(10, 1, [&](Index b, Index e) { sum += static_cast<int>(e - b); });
  });
  EXPECT_EQ(sum.load(), 80);
}

TEST(Parallel, NeverMoreThreadsThanAllowed) {
  EXPECT_GE(allowed_cpus(), 1);
  EXPECT_EQ(set_thread_count(10000), allowed_cpus());
  EXPECT_EQ(set_thread_count(1), 1);
  EXPECT_EQ(thread_count(), 1);
  EXPECT_EQ(set_thread_count(0), allowed_cpus());
}

}  // namespace
}  // namespace fixtune
