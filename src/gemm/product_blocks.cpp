#include "product_blocks.h"

#include <algorithm>

#include "fixtune/core/parallel.h"
#include "packed_kernel.h"

namespace fixtune::detail {
namespace {

Index ceil(Index a, Index by) { return (a + by - 1) / by; }

}  // namespace

Index rows_in_cache(Index contraction) {
  constexpr Index bytes = Index{384} << 10;
  return std::clamp<Index>(bytes / std::max<Index>(contraction, 1), 128, 512) / tile_rows * tile_rows;
}

ProductBlocks cut_product(Index rows, Index contraction, Index panels) {
  ProductBlocks b;
  b.rows = std::min(rows_in_cache(contraction), ceil(rows, tile_rows) * tile_rows);
  b.panels = panels;
  const Index wanted = thread_count() == 1 ? 1 : 4 * thread_count();
  while (ceil(rows, b.rows) * ceil(panels, b.panels) < wanted) {
    if (b.panels > 4)
      b.panels = ceil(b.panels, 2);
    else if (b.rows > 4 * tile_rows)
      b.rows = ceil(b.rows / 2, tile_rows) * tile_rows;
    else if (b.panels > 1)
      b.panels = ceil(b.panels, 2);
    else
      break;
  }
  b.row_blocks = ceil(rows, b.rows);
  b.panel_blocks = ceil(panels, b.panels);
  return b;
}

}  // namespace fixtune::detail
