#pragma once

#include <cstdint>
#include <vector>

namespace fixtune {

/// One sentence or pair as token ids, special tokens included; a segment is 0 in the first sentence, 1 in the second.
struct Encoding {
  std::vector<std::int32_t> ids;  ///< of the tokens, special ones included
  std::vector<std::int32_t> segments;  ///< of each token: 0, or 1 in the second sentence of a pair
};

}  // namespace fixtune
