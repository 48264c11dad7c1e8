#pragma once

#include <cstddef>

namespace fixtune {

/// What the process holds in large buffers, in bytes.
struct BufferPoolUse {
  std::size_t live = 0;       ///< handed out
  std::size_t cached = 0;     ///< given back and kept for the next request
  std::size_t peak_live = 0;  ///< most ever handed out at a time
};

/// Memory on a 64-byte boundary, uninitialised, for AlignedBuffer. Throws std::bad_alloc.
///
/// A training step asks for the same large buffers again and again, and fresh pages cost more than the arithmetic on
/// them. So buffers from 64 KiB on are kept when they come back, and a request takes the smallest kept one that
/// fits and is at most a quarter larger. Live and kept memory together stay within 9/8 of the most that was ever live:
/// beyond it the buffers unused for longest go back to the system. Safe from any thread.
void* take_buffer(std::size_t bytes);
/// Gives back what take_buffer(bytes) returned.
void return_buffer(void* buffer, std::size_t bytes) noexcept;

/// Frees every kept buffer.
void release_cached_buffers();
BufferPoolUse buffer_pool_use();

}  // namespace fixtune
