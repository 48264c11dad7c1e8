#pragma once

#include <string>
#include <string_view>

namespace fixtune {

/// Replaces what stands between the lines `<!-- NAME -->` and `<!-- end NAME -->` of a page, keeping all else.
/// Throws Error naming `where` and the marker where one is missing, or there twice.
std::string replace_block(std::string_view page, std::string_view name, std::string_view content,
                          std::string_view where);

}  // namespace fixtune
