#include "core/buffer_pool.h"

#include <algorithm>
#include <bit>
#include <new>

#include "core/system_memory.h"
#include "core/watched_heap.h"

namespace fixtune::detail {
namespace {

constexpr std::size_t header_bytes = 64;
/// From here on buffers count against the bound, and come in finer sizes.
constexpr std::size_t large = std::size_t{1} << 16;

/// Sizes in steps of a sixteenth of their power of two (a quarter for small ones), so that like requests share buffers.
std::size_t rounded(std::size_t bytes) {
  const std::size_t power = std::bit_floor(std::max<std::size_t>(bytes, 64));
  const std::size_t step = power / (power >= large ? 16 : 4);
  return std::max<std::size_t>(64, (bytes + step - 1) / step * step);
}

/// Of a rounded size; grows with it.
std::size_t class_of(std::size_t bytes) {
  const std::size_t power = std::bit_floor(bytes);
  return 16 * static_cast<std::size_t>(std::countr_zero(power)) + 16 * (bytes - power) / power;
}

}  // namespace

struct BufferPool::Header {
  BufferPool* owner;
  std::size_t bytes;  ///< that the buffer can hold
  std::size_t lane;
  Header *next, *previous;  ///< of its class, while kept
  Header *newer, *older;    ///< of all large ones, while kept

  void* buffer() { return reinterpret_cast<char*>(this) + header_bytes; }
  static Header* of(void* buffer) { return reinterpret_cast<Header*>(static_cast<char*>(buffer) - header_bytes); }
};

void* BufferPool::take(std::size_t wanted, Index range) {
  static_assert(sizeof(Header) <= header_bytes);
  const std::size_t lane = static_cast<std::size_t>(range) % lane_count;
  if (wanted > SIZE_MAX / 2) throw std::bad_alloc();
  const std::size_t bytes = rounded(wanted);
  {
    const std::lock_guard lock(mutex_);
    if (Header* kept = take_kept(bytes, lane)) return kept->buffer();
    if (!kept_[lane]) kept_[lane] = std::make_unique<Lane>();
    make_room(bytes);
    add_live(bytes);
    use_.asked += bytes;
  }
  return allocate_or_forget(bytes, lane)->buffer();
}

void BufferPool::give_back(void* buffer) noexcept {
  Header* header = Header::of(buffer);
  BufferPool* pool = header->owner;
  bool last = false;
  {
    const std::lock_guard lock(pool->mutex_);
    pool->use_.live -= header->bytes;
    last = --pool->buffers_live_ == 0 && pool->orphaned_;
    if (!heap_is_watched && !pool->orphaned_)
      pool->keep(header);
    else
      pool->free(header);
  }
  if (last) delete pool;
}

void BufferPool::release_kept() noexcept {
  const std::lock_guard lock(mutex_);
  free_kept();
}

WorkspaceUse BufferPool::use() {
  const std::lock_guard lock(mutex_);
  return use_;
}

void BufferPool::orphan() noexcept {
  bool last = false;
  {
    const std::lock_guard lock(mutex_);
    free_kept();
    orphaned_ = true;
    last = buffers_live_ == 0;
  }
  if (last) delete this;
}

BufferPool::Header* BufferPool::allocate(std::size_t bytes, std::size_t lane) {
  const std::size_t all = header_bytes + bytes;
  void* memory = nullptr;
  if (upstream_ != nullptr) {
    // A memory resource need not be safe from several threads.
    const std::lock_guard lock(mutex_);
    memory = upstream_->allocate(all, header_bytes);
  } else {
    memory = allocate_memory(all);
  }
  return new (memory) Header{this, bytes, lane, nullptr, nullptr, nullptr, nullptr};
}

/// Where memory runs out, kept buffers are given up before the request is.
BufferPool::Header* BufferPool::allocate_or_forget(std::size_t bytes, std::size_t lane) {
  try {
    return allocate(bytes, lane);
  } catch (const std::bad_alloc&) {
    release_kept();
  }
  try {
    return allocate(bytes, lane);
  } catch (const std::bad_alloc&) {
    const std::lock_guard lock(mutex_);
    use_.live -= bytes;
    --buffers_live_;
    throw;
  }
}

void BufferPool::free(Header* header) noexcept {
  const std::size_t bytes = header->bytes;
  if (upstream_ != nullptr)
    upstream_->deallocate(header, header_bytes + bytes, header_bytes);
  else
    free_memory(header, header_bytes + bytes);
}

void BufferPool::add_live(std::size_t bytes) {
  ++buffers_live_;
  use_.live += bytes;
  use_.peak_live = std::max(use_.peak_live, use_.live);
}

BufferPool::Header*& BufferPool::first_of(const Header& header) {
  return (*kept_[header.lane])[class_of(header.bytes)];
}

BufferPool::Header* BufferPool::take_kept(std::size_t bytes, std::size_t lane) {
  if (!kept_[lane]) return nullptr;
  const std::size_t last = class_of(rounded(bytes + bytes / 4));
  for (std::size_t size_class = class_of(bytes); size_class <= last; ++size_class) {
    Header* header = (*kept_[lane])[size_class];
    if (header == nullptr || header->bytes > bytes + bytes / 4) continue;
    unlink(header);
    add_live(header->bytes);
    return header;
  }
  return nullptr;
}

void BufferPool::keep(Header* header) {
  use_.kept += header->bytes;
  Header*& first = first_of(*header);
  header->previous = nullptr;
  header->next = first;
  if (first != nullptr) first->previous = header;
  first = header;
  if (header->bytes < large) return;
  header->newer = nullptr;
  header->older = newest_;
  (newest_ != nullptr ? newest_->newer : oldest_) = header;
  newest_ = header;
}

void BufferPool::unlink(Header* header) {
  use_.kept -= header->bytes;
  (header->previous != nullptr ? header->previous->next : first_of(*header)) = header->next;
  if (header->next != nullptr) header->next->previous = header->previous;
  if (header->bytes < large) return;
  (header->newer != nullptr ? header->newer->older : newest_) = header->older;
  (header->older != nullptr ? header->older->newer : oldest_) = header->newer;
}

/// A step of training hands out buffers of other sizes in its backward than in its forward: with less room than this above
/// its peak it would give pages back and clear fresh ones in every step.
void BufferPool::make_room(std::size_t bytes) {
  if (!bounded_) return;
  const std::size_t peak = std::max(use_.peak_live, use_.live + bytes);
  while (oldest_ != nullptr && use_.live + use_.kept + bytes > peak + peak / 4) {
    Header* header = oldest_;
    unlink(header);
    free(header);
  }
}

void BufferPool::free_kept() noexcept {
  for (const auto& lane : kept_) {
    if (!lane) continue;
    for (Header* first : *lane)
      while (first != nullptr) {
        Header* header = first;
        first = header->next;
        unlink(header);
        free(header);
      }
  }
}

}  // namespace fixtune::detail
