#pragma once

#include <functional>
#include <string_view>

namespace fixtune {

/// Receives notices a caller may want to show (a fallback taken, a batch skipped); one line each, no newline.
/// An empty callback drops them.
using LogCallback = std::function<void(std::string_view)>;

}  // namespace fixtune
