#pragma once

#include <cstdint>

#include "packed_kernel.h"

// For kernel files only: static, so that each instruction set keeps its own copy.

namespace fixtune::detail {

/// Products of two 12-bit codes whose sum always fits int32.
inline constexpr std::int32_t sparse_codes_in_32_bits = 512;

static inline std::int32_t sparse_count(const PanelWork& w, std::int64_t row) {
  return w.sparse_starts == nullptr ? 0 : w.sparse_starts[row + 1] - w.sparse_starts[row];
}

/// What the sparse part adds to `count` columns from `first` on, summed in 64 bits: for rows of any number of codes.
static inline void sparse_part_in_64_bits(const PanelWork& w, std::int64_t row, std::int64_t first, std::int64_t count,
                                          float* added) {
  for (std::int64_t n = 0; n < count; ++n) {
    std::int64_t sum = 0;
    for (std::int32_t i = w.sparse_starts[row]; i < w.sparse_starts[row + 1]; ++i)
      sum += w.sparse_codes[i].code * w.sparse_panel[w.sparse_codes[i].slot * panel_columns + first + n];
    added[n] = (static_cast<float>(sum) * w.sparse_row_step) * w.sparse_column_step;
  }
}

}  // namespace fixtune::detail
