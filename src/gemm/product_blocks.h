#pragma once

#include "fixtune/core/aligned_buffer.h"

namespace fixtune::detail {

/// How the output of a packed product is cut into tasks.
struct ProductBlocks {
  Index rows = 0, panels = 0;  ///< of one block
  Index row_blocks = 0, panel_blocks = 0;

  Index count() const { return row_blocks * panel_blocks; }
};

/// Rows whose codes stay in the second-level cache while the panels pass: the more, the less often the panels come from
/// further away.
Index rows_in_cache(Index contraction);

/// For a product of `rows` that contracts so many codes: rows that stay in cache, and blocks enough for the threads.
ProductBlocks cut_product(Index rows, Index contraction, Index panels);

}  // namespace fixtune::detail
