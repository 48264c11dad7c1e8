#pragma once

#include <array>
#include <cstdint>
#include <mutex>

#include "fixtune/core/workspace.h"

namespace fixtune::detail {

/// The buffers of one workspace. Lists of kept buffers run through the buffers' own headers, so that keeping allocates
/// nothing.
class BufferPool {
 public:
  /// `bounded`: live and kept large buffers stay within 9/8 of the most that was live.
  BufferPool(std::pmr::memory_resource* upstream, bool bounded) : upstream_(upstream), bounded_(bounded) {}

  void* take(std::size_t wanted);
  static void give_back(void* buffer) noexcept;
  void release_kept() noexcept;
  WorkspaceUse use();
  /// Its workspace is gone: destroys the pool now, or when the last buffer comes back.
  void orphan() noexcept;

 private:
  struct Header;
  /// Sixteen sizes to a power of two.
  static constexpr int size_classes = 16 * 64;

  ~BufferPool() = default;
  Header* allocate(std::size_t bytes);
  Header* allocate_or_forget(std::size_t bytes);
  void free(Header* header) noexcept;
  Header* take_kept(std::size_t bytes);
  void keep(Header* header);
  void unlink(Header* header);
  void make_room(std::size_t bytes);
  void free_kept() noexcept;
  void add_live(std::size_t bytes);

  std::pmr::memory_resource* upstream_;
  bool bounded_;
  bool orphaned_ = false;
  std::mutex mutex_;
  WorkspaceUse use_;
  std::size_t buffers_live_ = 0;
  std::array<Header*, size_classes> kept_{};
  Header* oldest_ = nullptr;  ///< of the large ones kept, through `newer`
  Header* newest_ = nullptr;
};

/// The pool of the calling thread.
BufferPool& current_pool();
/// Makes `pool` the calling thread's; returns the one before.
BufferPool* exchange_current_pool(BufferPool* pool) noexcept;

}  // namespace fixtune::detail
