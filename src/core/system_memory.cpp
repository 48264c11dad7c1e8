#include "core/system_memory.h"

#include <cstdint>
#include <new>

#include "core/watched_heap.h"

#if defined(__linux__)
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace fixtune::detail {
namespace {

constexpr std::size_t huge_page = std::size_t{1} << 21;

/// From here on huge pages fill most of a buffer.
bool takes_huge_pages(std::size_t bytes) { return bytes >= 2 * huge_page; }

std::size_t alignment_of(std::size_t bytes) { return takes_huge_pages(bytes) ? huge_page : 64; }

#if defined(__linux__)
/// The system needs microseconds for a map, and half a page in the mean goes unused.
constexpr std::size_t mapped_from = std::size_t{1} << 20;

// A sanitizer watches the heap, not maps.
bool is_mapped(std::size_t bytes) { return !heap_is_watched && bytes >= mapped_from; }

std::size_t in_pages(std::size_t bytes) {
  static const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return (bytes + page - 1) / page * page;
}

/// Maps more, and gives back what lies before and behind the aligned part.
void* map(std::size_t bytes) {
  const std::size_t alignment = alignment_of(bytes);
  const std::size_t spare = takes_huge_pages(bytes) ? alignment : 0;
  void* const all = mmap(nullptr, bytes + spare, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (all == MAP_FAILED) throw std::bad_alloc();
  if (spare == 0) return all;
  const std::size_t before = (alignment - reinterpret_cast<std::uintptr_t>(all) % alignment) % alignment;
  auto* const memory = static_cast<char*>(all) + before;
  if (before > 0) munmap(all, before);
  if (spare > before) munmap(memory + bytes, spare - before);
  madvise(memory, bytes, MADV_HUGEPAGE);
  return memory;
}
#endif

}  // namespace

void* allocate_memory(std::size_t bytes) {
#if defined(__linux__)
  if (is_mapped(bytes)) return map(in_pages(bytes));
#endif
  return ::operator new(bytes, std::align_val_t{alignment_of(bytes)});
}

void free_memory(void* memory, std::size_t bytes) noexcept {
#if defined(__linux__)
  if (is_mapped(bytes)) {
    munmap(memory, in_pages(bytes));
    return;
  }
#endif
  ::operator delete(memory, std::align_val_t{alignment_of(bytes)});
}

}  // namespace fixtune::detail
