#pragma once

#include <cstddef>
#include <memory_resource>
#include <string>
#include <vector>

namespace fixtune {

namespace detail {
class BufferPool;
}

/// What a workspace holds, in bytes.
struct WorkspaceUse {
  std::size_t live = 0;       ///< handed out
  std::size_t kept = 0;       ///< given back and kept for the next request
  std::size_t peak_live = 0;  ///< most ever handed out at a time
  std::size_t asked = 0;      ///< ever asked of the system, or of where new memory comes from
};

/// Where the library's buffers come from: memory on 64-byte boundaries that is kept when it comes back.
///
/// A training step asks for the same buffers again and again, and fresh pages cost more than the arithmetic on them. So
/// a request takes the smallest kept buffer that fits and is at most a quarter larger; once every shape was seen, nothing
/// is allocated. A workspace of the caller's own keeps all that comes back until release_kept() or its end; buffers that
/// outlive it stay valid and are freed when they come back. Safe from any thread.
class Workspace {
 public:
  /// New memory is asked of `upstream`, by one thread at a time, or of the system where it is null.
  explicit Workspace(std::pmr::memory_resource* upstream = nullptr);
  ~Workspace();
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  WorkspaceUse use() const;  ///< What it holds at this moment.
  /// Gives every kept buffer back to where it came from.
  void release_kept();

  /// The process's own, which serves whoever names no other. Its live and kept memory together stay within 5/4 of the most
  /// that was ever live: beyond it the buffers unused for longest go back to the system.
  static Workspace& shared();

 private:
  friend class UseWorkspace;
  explicit Workspace(detail::BufferPool& pool) : pool_(&pool) {}
  detail::BufferPool* pool_;
};

/// While this lives, buffers made on the calling thread, and on the threads of parallel_for under it, come from a
/// workspace. Null: from where they came before.
class UseWorkspace {
 public:
  explicit UseWorkspace(Workspace* workspace);  ///< Until the end of this scope.
  ~UseWorkspace();
  UseWorkspace(const UseWorkspace&) = delete;
  UseWorkspace& operator=(const UseWorkspace&) = delete;

 private:
  detail::BufferPool* before_;
};

/// Uninitialised memory on a 64-byte boundary from the workspace in use, for AlignedBuffer. Throws std::bad_alloc.
void* take_buffer(std::size_t bytes);
/// Gives back what take_buffer returned, to the workspace it came from; null is ignored.
void return_buffer(void* buffer) noexcept;

/// For standard containers whose elements lie in the workspace in use when they are allocated.
template <typename T>
struct WorkspaceAllocator {
  using value_type = T;  ///< What containers ask an allocator for.
  WorkspaceAllocator() = default;
  template <typename U>
  WorkspaceAllocator(const WorkspaceAllocator<U>&) {}  ///< Allocators of all types are one.
  /// Throws std::bad_alloc.
  T* allocate(std::size_t count) { return static_cast<T*>(take_buffer(count * sizeof(T))); }
  /// Gives memory back to the workspace it came from.
  void deallocate(T* at, std::size_t) noexcept { return_buffer(at); }
  /// Always: each buffer knows its workspace.
  friend bool operator==(const WorkspaceAllocator&, const WorkspaceAllocator&) { return true; }
};

template <typename T>
using WorkspaceVector = std::vector<T, WorkspaceAllocator<T>>;  ///< A vector whose elements lie in the workspace.
/// A string whose characters lie in the workspace.
using WorkspaceString = std::basic_string<char, std::char_traits<char>, WorkspaceAllocator<char>>;

}  // namespace fixtune
