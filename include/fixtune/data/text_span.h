#pragma once

#include <string_view>

#include "fixtune/core/aligned_buffer.h"

namespace fixtune {

/// The code points [begin, end) of a text.
struct TextSpan {
  Index begin = 0;  ///< code points before it
  Index end = 0;    ///< code points up to its end
  bool operator==(const TextSpan&) const = default;  ///< True for the same place.
};

/// How many code points a text in UTF-8 has.
Index count_code_points(std::string_view text);

/// The bytes of a span of a text in UTF-8; what lies past its end is left out.
std::string_view substring(std::string_view text, TextSpan span);

}  // namespace fixtune
