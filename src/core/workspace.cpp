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

thread_local detail::BufferSource source;

}  // namespace

detail::BufferSource detail::current_source() {
  return {source.pool != nullptr ? source.pool : &shared_pool(), source.range};
}

detail::BufferSource detail::exchange_source(BufferSource next) noexcept { return std::exchange(source, next); }

Workspace::Workspace(std::pmr::memory_resource* upstream)
    : pool_(new detail::BufferPool(upstream, /*bounded=*/false)) {}
Workspace::~Workspace() { pool_->orphan(); }

WorkspaceUse Workspace::use() const { return pool_->use(); }
void Workspace::release_kept() { pool_->release_kept(); }

Workspace& Workspace::shared() {
  static auto* workspace = new Workspace(shared_pool());
  return *workspace;
}

UseWorkspace::UseWorkspace(Workspace* workspace) : before_(source.pool) {
  if (workspace != nullptr) source.pool = workspace->pool_;
}
UseWorkspace::~UseWorkspace() { source.pool = before_; }

void* take_buffer(std::size_t bytes) {
  const detail::BufferSource from = detail::current_source();
  return from.pool->take(bytes, from.range);
}

void return_buffer(void* buffer) noexcept {
  if (buffer != nullptr) detail::BufferPool::give_back(buffer);
}

}  // namespace fixtune
