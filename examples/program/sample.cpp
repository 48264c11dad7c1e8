#include "program/sample.h"

#include <algorithm>

#include "fixtune/data/batch.h"

namespace fixtune::program {

std::vector<Index> sample_rows(Index count, Index size) {
  // An epoch no training run reaches, and not the one that shuffles for a held-out tenth.
  constexpr std::uint64_t seed = 0;
  constexpr std::uint64_t epoch = ~std::uint64_t{1};
  std::vector<Index> rows = shuffled_order(count, seed, epoch);
  rows.resize(static_cast<std::size_t>(std::min(count, size)));
  std::sort(rows.begin(), rows.end());
  return rows;
}

}  // namespace fixtune::program
