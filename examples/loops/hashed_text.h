#pragma once

#include <filesystem>
#include <vector>

#include "fixtune/core/tensor.h"

namespace loops {

/// Sentences as rows: how often each word and each character triple occurs, by hash, each row of length one.
struct HashedText {
  fixtune::Matrix x;
  std::vector<fixtune::Index> labels;  ///< 0 or 1

  fixtune::Index label(fixtune::Index row) const { return labels[static_cast<std::size_t>(row)]; }
};

/// Of a TSV, CSV or JSON Lines file with columns text and label. Throws Error where its labels are not two.
HashedText hashed_text(const std::filesystem::path& file, fixtune::Index features);

}  // namespace loops
