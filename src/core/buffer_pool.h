#pragma once

#include <array>
#include <memory>
#include <mutex>

#include "fixtune/core/aligned_buffer.h"
#include "fixtune/core/workspace.h"

namespace fixtune::detail {

/// The buffers of one workspace. Lists of kept buffers run through the buffers' own headers, so that keeping allocates
/// nothing.
///
/// Each range of a parallel_for has lists of its own: what it took it finds again, whichever ranges ran at the same time.
class BufferPool {
 public:
  /// `bounded`: live and kept large buffers stay within 5/4 of the most that was live.
  BufferPool(std::pmr::memory_resource* upstream, bool bounded) : upstream_(upstream), bounded_(bounded) {}

  void* take(std::size_t wanted, Index range);
  static void give_back(void* buffer) noexcept;
  void release_kept() noexcept;
  WorkspaceUse use();
  /// Its workspace is gone: destroys the pool now, or when the last buffer comes back.
  void orphan() noexcept;

 private:
  struct Header;
  /// Sixteen sizes to a power of two.
  static constexpr std::size_t size_classes = 16 * 64;
  /// Ranges past these share the lists.
  static constexpr std::size_t lane_count = 256;
  using Lane = std::array<Header*, size_classes>;

  ~BufferPool() = default;
  Header* allocate(std::size_t bytes, std::size_t lane);
  Header* allocate_or_forget(std::size_t bytes, std::size_t lane);
  void free(Header* header) noexcept;
  Header* take_kept(std::size_t bytes, std::size_t lane);
  Header*& first_of(const Header& header);
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
  std::array<std::unique_ptr<Lane>, lane_count> kept_;
  Header* oldest_ = nullptr;  ///< of the large ones kept, through `newer`
  Header* newest_ = nullptr;
};

/// Where the calling thread's buffers come from.
struct BufferSource {
  BufferPool* pool = nullptr;  ///< null: the process's own
  Index range = 0;             ///< of the parallel_for that it runs
};

/// The calling thread's, its pool not null.
BufferSource current_source();
/// Makes `source` the calling thread's; returns the one before.
BufferSource exchange_source(BufferSource source) noexcept;

}  // namespace fixtune::detail
