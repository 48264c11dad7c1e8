#include "fixtune/core/workspace.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "fixtune/core/aligned_buffer.h"
#include "fixtune/core/parallel.h"

namespace fixtune {
namespace {

constexpr Index mebibyte = 1 << 20;

WorkspaceUse shared_use() { return Workspace::shared().use(); }

/// Under AddressSanitizer every buffer is freed at once, and there is nothing to see.
bool keeps_buffers() {
  { const AlignedBuffer<char> buffer(mebibyte); }
  return shared_use().kept > 0;
}

class SharedWorkspace : public ::testing::Test {
 protected:
  void SetUp() override {
    Workspace::shared().release_kept();
    if (!keeps_buffers()) GTEST_SKIP() << "buffers are not kept in this build";
    Workspace::shared().release_kept();
  }
};

TEST_F(SharedWorkspace, GivesABufferBackToALikeRequest) {
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

TEST_F(SharedWorkspace, DoesNotSpendALargeBufferOnASmallRequest) {
  { const AlignedBuffer<char> large(8 * mebibyte); }
  const std::size_t kept = shared_use().kept;
  const AlignedBuffer<char> small(mebibyte / 4);
  EXPECT_EQ(shared_use().kept, kept);
}

TEST_F(SharedWorkspace, CountsWhatIsOutAndWhatIsKept) {
  const std::size_t live = shared_use().live;
  {
    const AlignedBuffer<char> buffer(mebibyte);
    EXPECT_EQ(shared_use().live, live + mebibyte);
    EXPECT_EQ(shared_use().kept, 0U);
  }
  EXPECT_EQ(shared_use().live, live);
  EXPECT_EQ(shared_use().kept, static_cast<std::size_t>(mebibyte));
  Workspace::shared().release_kept();
  EXPECT_EQ(shared_use().kept, 0U);
}

TEST_F(SharedWorkspace, StaysWithinAQuarterOfTheMostThatWasEverLive) {
  std::mt19937 generator(1);
  std::uniform_int_distribution<Index> size(mebibyte / 4, 4 * mebibyte);
  for (int round = 0; round < 50; ++round) {
    std::vector<AlignedBuffer<char>> buffers;
    for (int i = 0; i < 8; ++i) {
      buffers.emplace_back(size(generator));
      const WorkspaceUse use = shared_use();
      ASSERT_LE(use.live + use.kept, use.peak_live + use.peak_live / 4);
    }
  }
}

TEST_F(SharedWorkspace, ServesManyThreads) {
  parallel_for(64, 1, [](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      AlignedBuffer<char> buffer(mebibyte / 8 + i * 1000);
      buffer.fill(static_cast<char>(i));
      for (Index at = 0; at < buffer.size(); at += 4096) ASSERT_EQ(buffer[at], static_cast<char>(i));
    }
  });
}

/// Counts what is asked of it, and what comes back.
class CountingMemory : public std::pmr::memory_resource {
 public:
  int taken = 0;
  std::size_t out = 0;

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    ++taken;
    out += bytes;
    return std::pmr::new_delete_resource()->allocate(bytes, alignment);
  }
  void do_deallocate(void* at, std::size_t bytes, std::size_t alignment) override {
    out -= bytes;
    std::pmr::new_delete_resource()->deallocate(at, bytes, alignment);
  }
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }
};

TEST(OwnWorkspace, ServesItsThreadAndThoseOfParallelFor) {
  CountingMemory memory;
  Workspace workspace(&memory);
  const std::size_t shared = shared_use().live;
  {
    const UseWorkspace use(&workspace);
    const AlignedBuffer<char> here(100);
    WorkspaceVector<int> numbers(1000, 1);
    parallel_for(4, 1, [&](Index, Index) {
      const AlignedBuffer<char> there(mebibyte);
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(there.data()) % 64, 0U);
      EXPECT_GE(workspace.use().live, static_cast<std::size_t>(mebibyte + 4100));
    });
    EXPECT_EQ(shared_use().live, shared);
  }
  EXPECT_GT(memory.taken, 0);
  EXPECT_EQ(workspace.use().live, 0U);
  const AlignedBuffer<char> after(100);
  EXPECT_EQ(workspace.use().live, 0U);
  workspace.release_kept();
  EXPECT_EQ(memory.out, 0U);
}

TEST(OwnWorkspace, ABufferOutlivesIt) {
  CountingMemory memory;
  AlignedBuffer<char> buffer;
  {
    Workspace workspace(&memory);
    const UseWorkspace use(&workspace);
    buffer = AlignedBuffer<char>(mebibyte);
    const AlignedBuffer<char> returned(mebibyte);
  }
  buffer.fill(7);
  EXPECT_EQ(buffer[mebibyte - 1], 7);
  EXPECT_GT(memory.out, static_cast<std::size_t>(mebibyte));
  buffer = {};
  EXPECT_EQ(memory.out, 0U);
}

TEST(OwnWorkspace, RefusesWhatNoMemoryHolds) {
  EXPECT_THROW(take_buffer(SIZE_MAX), std::bad_alloc);
}

}  // namespace
}  // namespace fixtune
