#include "core/control_group.h"

#include <algorithm>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace fixtune::detail {
namespace {

using std::filesystem::path;

std::optional<double> number_in(const path& file) {
  std::ifstream in(file);
  double value = 0;
  if (in >> value) return value;
  return std::nullopt;
}

/// The value behind a word in a file of "word value" lines.
std::optional<double> number_after(const path& file, std::string_view word) {
  std::ifstream in(file);
  std::string key;
  double value = 0;
  while (in >> key >> value)
    if (key == word) return value;
  return std::nullopt;
}

bool lists(std::string_view controllers, std::string_view wanted) {
  while (!controllers.empty()) {
    const std::size_t comma = controllers.find(',');
    if (controllers.substr(0, comma) == wanted) return true;
    controllers = comma == std::string_view::npos ? "" : controllers.substr(comma + 1);
  }
  return false;
}

struct Groups {
  std::vector<path> first;   ///< folders of version 1's hierarchy of one controller
  std::vector<path> second;  ///< folders of version 2's
};

/// The group's folder and those above it. In a container the path may be the host's, and only the mount itself be there.
void add_folders(const path& mount, std::string group, std::vector<path>& folders) {
  while (!group.empty() && group != "/") {
    folders.push_back(mount / group.substr(1));
    group.resize(group.rfind('/'));
  }
  folders.push_back(mount);
}

Groups groups_of(std::string_view controller, const ControlGroupFiles& files) {
  Groups groups;
  std::ifstream own(files.own);
  for (std::string line; std::getline(own, line);) {  // "number:controllers:path"
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1), group = line.substr(second + 1);
    if (group.empty() || group[0] != '/') continue;
    if (controllers.empty()) {
      add_folders(files.mounts, group, groups.second);
      add_folders(files.mounts / "unified", group, groups.second);
    } else if (lists(controllers, controller)) {
      add_folders(files.mounts / controllers, group, groups.first);
      add_folders(files.mounts / path(controller), group, groups.first);
    }
  }
  return groups;
}

template <typename Value>
void keep_least(std::optional<Value>& least, std::optional<Value> value) {
  if (value && (!least || *value < *least)) least = value;
}

std::optional<double> quota_of_first(const path& group) {
  const std::optional<double> quota = number_in(group / "cpu.cfs_quota_us");
  const std::optional<double> period = number_in(group / "cpu.cfs_period_us");
  if (quota && period && *quota > 0 && *period > 0) return *quota / *period;
  return std::nullopt;
}

/// "quota period" in microseconds, or "max period".
std::optional<double> quota_of_second(const path& group) {
  std::ifstream in(group / "cpu.max");
  double quota = 0, period = 0;
  if (in >> quota >> period && quota > 0 && period > 0) return quota / period;
  return std::nullopt;
}

std::optional<std::uint64_t> left(const path& group, const char* limit_file, const char* use_file,
                                  const char* droppable) {
  const std::optional<double> limit = number_in(group / limit_file), use = number_in(group / use_file);
  if (!limit || !use) return std::nullopt;
  const double dropped = number_after(group / "memory.stat", droppable).value_or(0.0);
  return static_cast<std::uint64_t>(std::max(0.0, *limit - std::max(0.0, *use - dropped)));
}

}  // namespace

std::optional<double> cpu_quota(const ControlGroupFiles& files) {
  const Groups groups = groups_of("cpu", files);
  std::optional<double> least;
  for (const path& group : groups.first) keep_least(least, quota_of_first(group));
  for (const path& group : groups.second) keep_least(least, quota_of_second(group));
  return least;
}

std::optional<std::uint64_t> memory_left(const ControlGroupFiles& files) {
  const Groups groups = groups_of("memory", files);
  std::optional<std::uint64_t> least;
  for (const path& group : groups.first)
    keep_least(least, left(group, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"));
  for (const path& group : groups.second)
    keep_least(least, left(group, "memory.max", "memory.current", "inactive_file"));
  return least;
}

}  // namespace fixtune::detail
