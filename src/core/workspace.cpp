#include "fixtune/core/workspace.h"

#include <utility>

#include "core/buffer_pool.h"

namespace fixtune {
namespace {

detail::BufferPool& shared_pool() {
  // Never destroyed: buffers may come back while the program ends.
  static auto* pool = new detail::BufferPool(nullptr, /*bounded=*/true);
  return *pool;
}

thread_local detail::BufferPool* in_use = nullptr;

}  // namespace

detail::BufferPool& detail::current_pool() { return in_use != nullptr ? *in_use : shared_pool(); }

detail::BufferPool* detail::exchange_current_pool(BufferPool* pool) noexcept { return std::exchange(in_use, pool); }

Workspace::Workspace(std::pmr::memory_resource* upstream)
    : pool_(new detail::BufferPool(upstream, /*bounded=*/false)) {}
Workspace::~Workspace() { pool_->orphan(); }

WorkspaceUse Workspace::use() const { return pool_->use(); }
void Workspace::release_kept() { pool_->release_kept(); }

Workspace& Workspace::shared() {
  static auto* workspace = new Workspace(shared_pool());
  return *workspace;
}

UseWorkspace::UseWorkspace(Workspace* workspace)
    : before_(detail::exchange_current_pool(workspace != nullptr ? workspace->pool_ : in_use)) {}
UseWorkspace::~UseWorkspace() { detail::exchange_current_pool(before_); }

void* take_buffer(std::size_t bytes) { return detail::current_pool().take(bytes); }

void return_buffer(void* buffer) noexcept {
  if (buffer != nullptr) detail::BufferPool::give_back(buffer);
}

}  // namespace fixtune
