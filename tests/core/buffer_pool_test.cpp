#include "fixtune/core/buffer_pool.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "fixtune/core/aligned_buffer.h"
#include "fixtune/core/parallel.h"

namespace fixtune {
namespace {

constexpr Index mebibyte = 1 << 20;

/// Under AddressSanitizer every buffer is freed at once, and there is nothing to see.
bool keeps_buffers() {
  { const AlignedBuffer<char> buffer(mebibyte); }
  return buffer_pool_use().cached > 0;
}

class BufferPool : public ::testing::Test {
 protected:
  void SetUp() override {
    release_cached_buffers();
    if (!keeps_buffers()) GTEST_SKIP() << "buffers are not kept in this build";
    release_cached_buffers();
  }
};

TEST_F(BufferPool, GivesABufferBackToALikeRequest) {
  const char* first = nullptr;
  {
    const AlignedBuffer<char> buffer(mebibyte);
    first = buffer.data();
  }
  const AlignedBuffer<char> like(mebibyte - 1000);
  EXPECT_EQ(like.data(), first);
  const AlignedBuffer<char> other(mebibyte);
  EXPECT_NE(other.data(), first);
}

TEST_F(BufferPool, DoesNotSpendALargeBufferOnASmallRequest) {
  { const AlignedBuffer<char> large(8 * mebibyte); }
  const std::size_t cached = buffer_pool_use().cached;
  const AlignedBuffer<char> small(mebibyte);
  EXPECT_EQ(buffer_pool_use().cached, cached);
}

TEST_F(BufferPool, CountsWhatIsOutAndWhatIsKept) {
  const std::size_t live = buffer_pool_use().live;
  {
    const AlignedBuffer<char> buffer(mebibyte);
    EXPECT_EQ(buffer_pool_use().live, live + mebibyte);
    EXPECT_EQ(buffer_pool_use().cached, 0U);
  }
  EXPECT_EQ(buffer_pool_use().live, live);
  EXPECT_EQ(buffer_pool_use().cached, static_cast<std::size_t>(mebibyte));
  release_cached_buffers();
  EXPECT_EQ(buffer_pool_use().cached, 0U);
}

TEST_F(BufferPool, StaysWithinAnEighthOfTheMostThatWasEverLive) {
  std::mt19937 generator(1);
  std::uniform_int_distribution<Index> size(mebibyte / 4, 4 * mebibyte);
  for (int round = 0; round < 50; ++round) {
    std::vector<AlignedBuffer<char>> buffers;
    for (int i = 0; i < 8; ++i) {
      buffers.emplace_back(size(generator));
      const BufferPoolUse use = buffer_pool_use();
      ASSERT_LE(use.live + use.cached, use.peak_live + use.peak_live / 8);
    }
  }
}

TEST_F(BufferPool, ServesManyThreads) {
  parallel_for(64, 1, [](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      AlignedBuffer<char> buffer(mebibyte / 8 + i * 1000);
      buffer.fill(static_cast<char>(i));
      for (Index at = 0; at < buffer.size(); at += 4096) ASSERT_EQ(buffer[at], static_cast<char>(i));
    }
  });
}

}  // namespace
}  // namespace fixtune
