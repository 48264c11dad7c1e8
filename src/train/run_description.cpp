#include "fixtune/train/run_description.h"

#include <fmt/ranges.h>

#include "fixtune/core/error.h"

namespace fixtune {
namespace {

/// Floats in few digits, so that 2e-5 does not read 1.9999999e-05.
std::string shown(const Json& value) {
  return value.is_number_float() ? fmt::format("{:.7g}", value.get<double>()) : value.dump();
}

std::string difference(const std::string& name, const Json& there, const Json& here) {
  const bool alike = shown(there) == shown(here);
  return fmt::format("{} is {} there, {} here", name, alike ? there.dump() : shown(there),
                     alike ? here.dump() : shown(here));
}

/// The leaves in which two values differ, or the values where they differ in the order of fields alone.
void add_differences(const std::string& name, const Json& there, const Json& here, std::vector<std::string>& found) {
  const std::size_t before = found.size();
  if (there == here) return;
  if (there.is_object() && here.is_object()) {
    const std::string prefix = name.empty() ? "" : name + ".";
    for (const auto& [field, value] : there.items())
      add_differences(prefix + field, value, here.value(field, Json()), found);
    for (const auto& [field, value] : here.items())
      if (!there.contains(field)) add_differences(prefix + field, Json(), value, found);
  }
  if (found.size() == before) found.push_back(difference(name, there, here));
}

}  // namespace

std::vector<std::string> differences(const Json& there, const Json& here) {
  std::vector<std::string> found;
  add_differences("", there, here, found);
  return found;
}

void require_same_run(const Json& there, const Json& here, std::string_view where) {
  const auto found = differences(there, here);
  if (!found.empty()) fail("{} belongs to another run: {}", where, fmt::join(found, "; "));
}

}  // namespace fixtune
