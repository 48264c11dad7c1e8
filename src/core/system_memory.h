#pragma once

#include <cstddef>

namespace fixtune::detail {

/// Memory for one buffer, aligned to a cache line, from 4 MiB on to a huge page; pieces from 1 MiB on come from the system
/// and go back to it at once.
///
/// A heap keeps what is freed below what is still in use: over sentences of changing length a fifth of the process was that.
/// Throws std::bad_alloc.
void* allocate_memory(std::size_t bytes);

/// Frees what allocate_memory gave for that size.
void free_memory(void* memory, std::size_t bytes) noexcept;

}  // namespace fixtune::detail
