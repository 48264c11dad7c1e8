#include "panel_packing.h"

#include <algorithm>

#include "byte_interleave.h"

namespace fixtune::detail {
namespace {

constexpr int zero_code = 0x80;

/// Of a panel, those that exist.
Index columns_of(Index columns, Index panel) { return std::min(panel_columns, columns - panel * panel_columns); }

/// Stored [n, k]: the four codes of a group lie side by side. One cache line of every column at a time, so that what
/// they are written to stays in cache.
void pack_lines(const StoredColumns& stored, Index panel, std::uint8_t* out) {
  constexpr Index groups_at_once = 16;
  const Int8View& codes = stored.codes;
  const Index columns = columns_of(stored.columns(), panel), whole_groups = codes.cols / group_codes;
  const std::int8_t* lines = codes.data + panel * panel_columns * codes.stride;
  for (Index g = 0; g < whole_groups; g += groups_at_once)
    for (Index n = 0; n < columns; n += 4) {
      const Index count = std::min<Index>(4, columns - n), groups = std::min(groups_at_once, whole_groups - g);
      transpose_groups(lines + n * codes.stride + g * group_codes, codes.stride, count, groups, zero_code,
                       out + g * panel_group_bytes + n * group_codes, panel_group_bytes);
    }
  std::uint8_t* last = out + whole_groups * panel_group_bytes;
  for (Index n = 0; n < columns; ++n)
    for (Index k = whole_groups * group_codes; k < codes.cols; ++k)
      last[n * group_codes + k % group_codes] = static_cast<std::uint8_t>(lines[n * codes.stride + k] ^ zero_code);
}

/// Asks for what comes `ahead` lines later.
void fetch_group(const std::int8_t* from, Index stride, Index ahead) {
  for (Index t = 0; t < group_codes; ++t)
    __builtin_prefetch(from + (ahead + t) * stride, /*write=*/0, /*second level=*/2);
}

/// Stored [k, n]: groups [begin, end) of a panel, four lines woven together.
void pack_groups(const StoredColumns& stored, Index panel, Index begin, Index end, Index ahead, std::uint8_t* out) {
  const Int8View& codes = stored.codes;
  const Index columns = columns_of(stored.columns(), panel);
  for (Index g = begin; g < end; ++g) {
    std::uint8_t* group = out + g * panel_group_bytes;
    const std::int8_t* from = codes.data + g * group_codes * codes.stride + panel * panel_columns;
    const Index lines = std::min(group_codes, codes.rows - g * group_codes);
    if (lines == group_codes) {
      fetch_group(from, codes.stride, ahead);
      interleave_four(from, codes.stride, columns, zero_code, group);
      continue;
    }
    for (Index n = 0; n < columns; ++n)
      for (Index t = 0; t < lines; ++t)
        group[n * group_codes + t] = static_cast<std::uint8_t>(from[t * codes.stride + n] ^ zero_code);
  }
}

}  // namespace

void clear_edges(Index contraction, Index columns, Index panel, std::uint8_t* out) {
  const Index groups = (contraction + group_codes - 1) / group_codes, whole_groups = contraction / group_codes;
  const Index kept = columns_of(columns, panel) == panel_columns ? whole_groups : 0;
  std::fill(out + kept * panel_group_bytes, out + groups * panel_group_bytes, std::uint8_t{zero_code});
}

void pack_panels(const StoredColumns& stored, Index begin, Index end, std::uint8_t* out) {
  const Index groups = stored.groups(), panel_bytes = groups * panel_group_bytes;
  if (stored.transpose == Transpose::Yes) {
    for (Index p = begin; p < end; ++p) pack_lines(stored, p, out + (p - begin) * panel_bytes);
    return;
  }
  // A strip of lines for all panels: a line of cache is shared by two panels, and lines are read from end to end.
  constexpr Index groups_at_once = 8;
  for (Index g = 0; g < groups; g += groups_at_once)
    for (Index p = begin; p < end; ++p)
      pack_groups(stored, p, g, std::min(g + groups_at_once, groups), groups_at_once * group_codes,
                  out + (p - begin) * panel_bytes);
}

}  // namespace fixtune::detail
