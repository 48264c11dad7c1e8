#pragma once

#include <string>
#include <string_view>

namespace fixtune {

/// "a, b, c", for messages that list what is allowed. (fmt::join trips GCC 12's -Wstringop-overflow.)
template <typename Words>
std::string word_list(const Words& words) {
  std::string list;
  for (const std::string_view word : words) {
    if (!list.empty()) list += ", ";
    list += word;
  }
  return list;
}

}  // namespace fixtune
