#pragma once

#include "fixtune/gemm/integer_product.h"
#include "packed_kernel.h"

namespace fixtune::detail {

/// Where codes `B[k, n]` lie: stored `[k, n]` (Transpose::No) or `[n, k]` (Transpose::Yes), as a weight is for X W^T.
struct StoredColumns {
  Int8View codes;
  Transpose transpose = Transpose::No;

  Index contraction() const { return transpose == Transpose::Yes ? codes.cols : codes.rows; }
  Index columns() const { return transpose == Transpose::Yes ? codes.rows : codes.cols; }
  Index groups() const { return (contraction() + group_codes - 1) / group_codes; }
  Index panels() const { return (columns() + panel_columns - 1) / panel_columns; }
};

/// Zeros wherever `B[contraction, columns]` does not reach into a panel: its last group where that is cut, all of a panel
/// that is not full.
void clear_edges(Index contraction, Index columns, Index panel, std::uint8_t* out);

/// Panels [begin, end), each of `groups() * panel_group_bytes`, one after the other; nothing past the edges is written.
void pack_panels(const StoredColumns& stored, Index begin, Index end, std::uint8_t* out);

}  // namespace fixtune::detail
