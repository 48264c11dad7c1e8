// Memory of buffers: aligned, whole, and back with the system when it is freed.
#include "core/system_memory.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <fstream>
#include <limits>
#include <new>
#include <string>
#include <vector>

#include "core/watched_heap.h"

namespace fixtune::detail {
namespace {

constexpr std::size_t mib = std::size_t{1} << 20;

std::size_t resident_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmRSS:")) return std::stoull(line.substr(6)) * 1024;
  return 0;
}

TEST(SystemMemory, IsAlignedAndWhole) {
  for (const std::size_t bytes : {std::size_t{64}, mib - 1, mib, mib + 1, 4 * mib, 4 * mib + 4097, 33 * mib}) {
    void* const memory = allocate_memory(bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory) % (bytes < 4 * mib ? 64 : 2 * mib), 0U) << bytes;
    std::memset(memory, 1, bytes);
    free_memory(memory, bytes);
  }
}

TEST(SystemMemory, LargePiecesGoBackWhateverLiesAboveThem) {
  if (heap_is_watched || resident_bytes() == 0) GTEST_SKIP() << "the heap is watched, or there is no /proc";
  constexpr std::size_t bytes = 3 * mib;
  std::vector<void*> pieces(32);
  for (void*& piece : pieces) std::memset(piece = allocate_memory(bytes), 1, bytes);
  const std::size_t before = resident_bytes();
  for (std::size_t i = 0; i + 1 < pieces.size(); ++i) free_memory(pieces[i], bytes);
  EXPECT_LT(resident_bytes(), before - 28 * bytes);
  free_memory(pieces.back(), bytes);
}

TEST(SystemMemory, MoreThanThereIsThrows) {
  if (heap_is_watched) GTEST_SKIP() << "a sanitizer ends the program";
  EXPECT_THROW(allocate_memory(std::numeric_limits<std::size_t>::max() / 4), std::bad_alloc);
}

}  // namespace
}  // namespace fixtune::detail
