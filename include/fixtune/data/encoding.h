#pragma once

#include <cstdint>
#include <vector>

namespace fixtune {

/// One sentence or pair as token ids, special tokens included; a segment is 0 in the first sentence, 1 in the second.
struct Encoding {
  std::vector<std::int32_t> ids;       ///< rows of the table of word embeddings
  std::vector<std::int32_t> segments;  ///< one an id; [CLS] and the first [SEP] count to the first sentence
};

}  // namespace fixtune
