#pragma once

#include <cstddef>

namespace fixtune::detail {

/// Memory for one buffer, aligned to a power of two; large pieces come from the system and go back to it at once.
///
/// A heap keeps what is freed below what is still in use: over sentences of changing length a fifth of the process was that.
/// Throws std::bad_alloc.
void* allocate_memory(std::size_t bytes, std::size_t alignment);

/// Frees what allocate_memory gave for that size and alignment.
void free_memory(void* memory, std::size_t bytes, std::size_t alignment) noexcept;

}  // namespace fixtune::detail
