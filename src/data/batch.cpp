#include "fixtune/data/batch.h"

#include <numeric>
#include <utility>

#include "fixtune/core/error.h"
#include "fixtune/core/random.h"

namespace fixtune {
namespace {

/// Uniform in [0, bound): draws of 32 bits past the last whole multiple of bound are rejected.
Index uniform_below(Index bound, const RandomStream& random, std::uint64_t& counter) {
  const auto range = static_cast<std::uint64_t>(bound);
  const std::uint64_t limit = (std::uint64_t{1} << 32) / range * range;
  for (;;) {
    const std::uint64_t draw = random.bits(counter++);
    if (draw < limit) return static_cast<Index>(draw % range);
  }
}

}  // namespace

PackedBatch pack(std::span<const Encoding> encodings, std::span<const float> labels, std::span<const Index> indices) {
  if (labels.size() != encodings.size()) fail("{} sentences cannot go with {} labels", encodings.size(), labels.size());
  PackedBatch batch = pack(encodings, indices);
  batch.labels.assign(labels.begin(), labels.end());
  return batch;
}

PackedBatch pack(std::span<const Encoding> encodings, std::span<const Index> indices) {
  if (indices.size() != encodings.size())
    fail("{} sentences cannot go with {} indices", encodings.size(), indices.size());
  PackedBatch batch;
  for (const Encoding& e : encodings) {
    batch.offsets.push_back(batch.tokens());
    batch.ids.insert(batch.ids.end(), e.ids.begin(), e.ids.end());
    batch.segments.insert(batch.segments.end(), e.segments.begin(), e.segments.end());
    for (std::size_t position = 0; position < e.ids.size(); ++position)
      batch.positions.push_back(static_cast<std::int32_t>(position));
  }
  batch.offsets.push_back(batch.tokens());
  batch.example_index.assign(indices.begin(), indices.end());
  return batch;
}

std::vector<Index> shuffled_order(Index n, std::uint64_t seed, std::uint64_t epoch) {
  std::vector<Index> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  const RandomStream random({seed, epoch, 0}, tensor_id("order of examples"));
  std::uint64_t counter = 0;
  for (Index i = n - 1; i > 0; --i)
    std::swap(order[static_cast<std::size_t>(i)],
              order[static_cast<std::size_t>(uniform_below(i + 1, random, counter))]);
  return order;
}

}  // namespace fixtune
