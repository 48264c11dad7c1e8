#include "fixtune/core/memory.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

#include "core/control_group.h"
#include "fixtune/core/error.h"

namespace fixtune {
namespace {

/// Of the machine, from lines such as "MemAvailable:   23456 kB".
std::uint64_t machine_memory_left() {
  std::ifstream file("/proc/meminfo");
  std::uint64_t left = 0;
  bool told = false;
  std::string line, name;
  while (file >> name) {
    std::uint64_t kibibytes = 0;
    file >> kibibytes;
    std::getline(file, line);
    if (name != "MemAvailable:" && name != "SwapFree:") continue;
    left += 1024 * kibibytes;
    told = true;
  }
  return told ? left : std::numeric_limits<std::uint64_t>::max();
}

double gibibytes(std::uint64_t bytes) { return static_cast<double>(bytes) / 0x1p30; }

}  // namespace

std::uint64_t available_memory() {
  const std::uint64_t machine = machine_memory_left();
  return std::min(machine, detail::memory_left().value_or(machine));
}

void require_memory(std::uint64_t bytes, std::string_view what) {
  const std::uint64_t available = available_memory();
  if (bytes > available)
    fail("{} needs {:.2f} GiB of memory at least; {:.2f} GiB are available", what, gibibytes(bytes),
         gibibytes(available));
}

}  // namespace fixtune
