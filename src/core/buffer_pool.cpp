#include "fixtune/core/buffer_pool.h"

#include <algorithm>
#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

// A sanitizer must see every buffer freed, or it misses reads of freed ones.
#if defined(__SANITIZE_ADDRESS__) || defined(FIXTUNE_NO_BUFFER_POOL)
#define FIXTUNE_KEEPS_BUFFERS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIXTUNE_KEEPS_BUFFERS 0
#endif
#endif
#ifndef FIXTUNE_KEEPS_BUFFERS
#define FIXTUNE_KEEPS_BUFFERS 1
#endif

namespace fixtune {
namespace {

constexpr std::size_t small = std::size_t{1} << 16;
constexpr std::size_t huge_page = std::size_t{1} << 21;

std::align_val_t alignment_of(std::size_t bytes) { return std::align_val_t{bytes >= 2 * huge_page ? huge_page : 64}; }

/// Sizes in steps of a sixteenth of their power of two, so that like requests share buffers.
std::size_t rounded(std::size_t bytes) {
  std::size_t power = small;
  while (power <= bytes / 2) power *= 2;
  const std::size_t step = power / 16;
  return (bytes + step - 1) / step * step;
}

void* allocate(std::size_t bytes) {
  void* buffer = ::operator new(bytes, alignment_of(bytes));
#if defined(__linux__)
  if (bytes >= 2 * huge_page) madvise(buffer, bytes, MADV_HUGEPAGE);
#endif
  return buffer;
}

void release(void* buffer, std::size_t bytes) noexcept { ::operator delete(buffer, alignment_of(bytes)); }

class BufferPool {
 public:
  void* take(std::size_t wanted) {
    const std::size_t bytes = rounded(wanted);
    {
      const std::lock_guard lock(mutex_);
      if (void* kept = take_kept(bytes)) return kept;
      make_room(bytes);
      add_live(bytes);
    }
    void* buffer = allocate_or_forget(bytes);
    const std::lock_guard lock(mutex_);
    sizes_[buffer] = bytes;
    return buffer;
  }

  void give_back(void* buffer) noexcept {
    const std::lock_guard lock(mutex_);
    const auto found = sizes_.find(buffer);
    const std::size_t bytes = found->second;
    use_.live -= bytes;
    use_.cached += bytes;
    recent_.push_back({buffer, bytes});
    kept_.emplace(bytes, std::prev(recent_.end()));
  }

  void release_all() {
    const std::lock_guard lock(mutex_);
    while (!recent_.empty()) drop_oldest();
  }

  BufferPoolUse use() {
    const std::lock_guard lock(mutex_);
    return use_;
  }

 private:
  struct Kept {
    void* buffer;
    std::size_t bytes;
  };
  using Recent = std::list<Kept>;  // oldest first

  /// Where memory runs out, kept buffers are given up before the request is.
  void* allocate_or_forget(std::size_t bytes) {
    try {
      return allocate(bytes);
    } catch (const std::bad_alloc&) {
      release_all();
    }
    try {
      return allocate(bytes);
    } catch (const std::bad_alloc&) {
      const std::lock_guard lock(mutex_);
      use_.live -= bytes;
      throw;
    }
  }

  void add_live(std::size_t bytes) {
    use_.live += bytes;
    use_.peak_live = std::max(use_.peak_live, use_.live);
  }

  void* take_kept(std::size_t bytes) {
    const auto found = kept_.lower_bound(bytes);
    if (found == kept_.end() || found->first > bytes + bytes / 4) return nullptr;
    const Kept kept = *found->second;
    recent_.erase(found->second);
    kept_.erase(found);
    use_.cached -= kept.bytes;
    add_live(kept.bytes);
    return kept.buffer;
  }

  void make_room(std::size_t bytes) {
    const std::size_t peak = std::max(use_.peak_live, use_.live + bytes);
    while (!recent_.empty() && use_.live + use_.cached + bytes > peak + peak / 8) drop_oldest();
  }

  void drop_oldest() {
    const Kept oldest = recent_.front();
    const auto [begin, end] = kept_.equal_range(oldest.bytes);
    kept_.erase(std::find_if(begin, end, [&](const auto& entry) { return entry.second->buffer == oldest.buffer; }));
    recent_.pop_front();
    sizes_.erase(oldest.buffer);
    use_.cached -= oldest.bytes;
    release(oldest.buffer, oldest.bytes);
  }

  std::mutex mutex_;
  BufferPoolUse use_;
  Recent recent_;
  std::multimap<std::size_t, Recent::iterator> kept_;
  std::map<void*, std::size_t> sizes_;
};

BufferPool& pool() {
  // Never destroyed: buffers may come back while the program ends.
  static auto* the_pool = new BufferPool;
  return *the_pool;
}

}  // namespace

void* take_buffer(std::size_t bytes) {
  if (FIXTUNE_KEEPS_BUFFERS == 0 || bytes < small) return ::operator new(bytes, std::align_val_t{64});
  return pool().take(bytes);
}

void return_buffer(void* buffer, std::size_t bytes) noexcept {
  if (buffer == nullptr) return;
  if (FIXTUNE_KEEPS_BUFFERS == 0 || bytes < small)
    ::operator delete(buffer, std::align_val_t{64});
  else
    pool().give_back(buffer);
}

void release_cached_buffers() { pool().release_all(); }
BufferPoolUse buffer_pool_use() { return pool().use(); }

}  // namespace fixtune
