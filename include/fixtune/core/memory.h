#pragma once

#include <cstdint>
#include <string_view>

namespace fixtune {

/// Bytes that this process may still take: what the machine has left, swap included, or what its control groups allow,
/// whichever is less. The largest number where the system does not tell.
std::uint64_t available_memory();

/// Refuses what cannot fit before it is begun. Throws Error with `what`, the bytes needed and those available.
void require_memory(std::uint64_t bytes, std::string_view what);

}  // namespace fixtune
