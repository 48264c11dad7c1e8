#include "core/system_memory.h"

#include <cstdint>
#include <new>

#include "core/watched_heap.h"

#if defined(__linux__)
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace fixtune::detail {

#if defined(__linux__)
namespace {

constexpr std::size_t huge_page = std::size_t{1} << 21;
/// The system needs microseconds for a map, and a page in the mean goes unused.
constexpr std::size_t mapped_from = std::size_t{1} << 20;

bool is_mapped(std::size_t bytes) { return !heap_is_watched && bytes >= mapped_from; }

std::size_t page_bytes() {
  static const auto bytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return bytes;
}

std::size_t in_pages(std::size_t bytes) { return (bytes + page_bytes() - 1) / page_bytes() * page_bytes(); }

/// Maps more, and gives back what lies before and behind the aligned part.
void* map_aligned(std::size_t bytes, std::size_t alignment) {
  const std::size_t spare = alignment > page_bytes() ? alignment : 0;
  void* all = mmap(nullptr, bytes + spare, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (all == MAP_FAILED) throw std::bad_alloc();
  if (spare == 0) return all;
  auto* const begin = static_cast<char*>(all);
  const std::size_t before = (alignment - reinterpret_cast<std::uintptr_t>(all) % alignment) % alignment;
  if (before > 0) munmap(begin, before);
  if (spare > before) munmap(begin + before + bytes, spare - before);
  return begin + before;
}

}  // namespace

void* allocate_memory(std::size_t bytes, std::size_t alignment) {
  if (!is_mapped(bytes)) return ::operator new(bytes, std::align_val_t{alignment});
  void* memory = map_aligned(in_pages(bytes), alignment);
  if (bytes >= 2 * huge_page) madvise(memory, in_pages(bytes), MADV_HUGEPAGE);
  return memory;
}

void free_memory(void* memory, std::size_t bytes, std::size_t alignment) noexcept {
  if (is_mapped(bytes))
    munmap(memory, in_pages(bytes));
  else
    ::operator delete(memory, std::align_val_t{alignment});
}
#else
void* allocate_memory(std::size_t bytes, std::size_t alignment) {
  return ::operator new(bytes, std::align_val_t{alignment});
}

void free_memory(void* memory, std::size_t, std::size_t alignment) noexcept {
  ::operator delete(memory, std::align_val_t{alignment});
}
#endif

}  // namespace fixtune::detail
