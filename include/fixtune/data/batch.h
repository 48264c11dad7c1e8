#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "fixtune/core/aligned_buffer.h"
#include "fixtune/data/encoding.h"

namespace fixtune {

/// Sentences laid end to end, without padding: token t of sentence s is row offsets[s] + t.
struct PackedBatch {
  std::vector<std::int32_t> ids;        ///< of the tokens, special ones included
  std::vector<std::int32_t> segments;   ///< of each token: 0, or 1 in the second sentence of a pair
  std::vector<std::int32_t> positions;  ///< of each token in its sentence
  std::vector<Index> offsets;           ///< first token of each sentence, and at the end the number of tokens
  std::vector<float> labels;            ///< one a sentence, or none at all
  std::vector<Index> example_index;     ///< where each sentence stands in its dataset

  Index tokens() const { return static_cast<Index>(ids.size()); }  ///< in all sentences
  Index sentences() const { return static_cast<Index>(example_index.size()); }  ///< a pair counts as one
};

/// Packs sentences in the order given. Throws Error unless there is one label and one index for each.
PackedBatch pack(std::span<const Encoding> encodings, std::span<const float> labels, std::span<const Index> indices);

/// The same without labels. Throws Error unless there is one index for each.
PackedBatch pack(std::span<const Encoding> encodings, std::span<const Index> indices);

/// A permutation of [0, n) by Fisher and Yates, a pure function of (n, seed, epoch).
std::vector<Index> shuffled_order(Index n, std::uint64_t seed, std::uint64_t epoch);

}  // namespace fixtune
