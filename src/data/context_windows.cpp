#include "fixtune/data/context_windows.h"

#include <algorithm>

#include "fixtune/core/error.h"

namespace fixtune {

std::vector<ContextWindow> context_windows(Index tokens, Index room, Index overlap) {
  if (room < 1) fail("no room for the context");
  if (overlap < 0) fail("--doc-stride {}: an overlap cannot be negative", overlap);
  if (tokens <= room) return {{0, tokens}};
  if (overlap >= room) fail("--doc-stride {}: windows of {} context tokens cannot overlap by as many", overlap, room);
  std::vector<ContextWindow> windows;
  for (Index first = 0; windows.empty() || windows.back().first + windows.back().count < tokens;
       first += room - overlap)
    windows.push_back({first, std::min(room, tokens - first)});
  return windows;
}

}  // namespace fixtune
