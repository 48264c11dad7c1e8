#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace fixtune::detail {

/// Where the kernel tells of this process's control groups.
struct ControlGroupFiles {
  std::filesystem::path own = "/proc/self/cgroup";
  std::filesystem::path mounts = "/sys/fs/cgroup";
};

/// The fewest CPUs that a quota of this process's groups, or of one above them, is worth, of version 1 or 2; fractions
/// count. None where there is no quota.
std::optional<double> cpu_quota(const ControlGroupFiles& files = {});

/// The least memory that one of them still allows, in bytes: its limit less what is in use and cannot be dropped.
std::optional<std::uint64_t> memory_left(const ControlGroupFiles& files = {});

}  // namespace fixtune::detail
