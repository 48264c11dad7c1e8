#pragma once

#include <vector>

#include "fixtune/core/tensor.h"

namespace fixtune::program {

/// The rows of a random sample of `size` out of `count`, ascending; the same for every run, whatever its seed.
std::vector<Index> sample_rows(Index count, Index size);

/// Reduces a list to such a sample, in its order; 0, or as many as there are, keeps all.
template <typename T>
void keep_sample(std::vector<T>& examples, Index size) {
  const auto count = static_cast<Index>(examples.size());
  if (size <= 0 || size >= count) return;
  std::vector<T> kept;
  for (const Index row : sample_rows(count, size)) kept.push_back(std::move(examples[static_cast<std::size_t>(row)]));
  examples = std::move(kept);
}

}  // namespace fixtune::program
