#include <algorithm>

#include "byte_interleave.h"
#include "fixtune/core/parallel.h"
#include "fixtune/gemm/packed_product.h"
#include "packed_kernel.h"

namespace fixtune {
namespace {

using detail::group_codes;
using detail::panel_columns;
using detail::panel_group_bytes;

/// One group of one column, where codes run out.
void pack_edge(const std::int8_t* codes, Index count, std::uint8_t* out) {
  for (Index t = 0; t < count; ++t) out[t] = static_cast<std::uint8_t>(codes[t] ^ 0x80);
}

// Stored [n, k]: the four codes of a group lie side by side. One cache line of every column at a time, so that what
// they are written to stays in cache.
void pack_lines(const Int8View& codes, Index panel, PackedColumns& packed) {
  constexpr Index groups_at_once = 16;
  const Index first = panel * panel_columns;
  const Index columns = std::min(panel_columns, codes.rows - first);
  const std::int8_t* lines = codes.data + first * codes.stride;
  const Index whole_groups = codes.cols / group_codes;
  for (Index g = 0; g < whole_groups; g += groups_at_once)
    for (Index n = 0; n < columns; n += 4) {
      const Index count = std::min<Index>(4, columns - n), groups = std::min(groups_at_once, whole_groups - g);
      detail::transpose_groups(lines + n * codes.stride + g * group_codes, codes.stride, count, groups, 0x80,
                               packed.group(panel, g) + n * group_codes, panel_group_bytes);
    }
  if (whole_groups == packed.groups()) return;
  for (Index n = 0; n < columns; ++n)
    pack_edge(lines + n * codes.stride + whole_groups * group_codes, codes.cols - whole_groups * group_codes,
              packed.group(panel, whole_groups) + n * group_codes);
}

// Stored [k, n]: four lines are woven together.
void pack_groups(const Int8View& codes, Index panel, PackedColumns& packed) {
  const Index first = panel * panel_columns;
  const Index columns = std::min(panel_columns, codes.cols - first);
  for (Index g = 0; g < packed.groups(); ++g) {
    std::uint8_t* out = packed.group(panel, g);
    const Index lines = std::min(group_codes, codes.rows - g * group_codes);
    const std::int8_t* from = codes.data + g * group_codes * codes.stride + first;
    if (lines == group_codes) {
      detail::interleave_four(from, codes.stride, columns, 0x80, out);
      continue;
    }
    for (Index n = 0; n < columns; ++n)
      for (Index t = 0; t < lines; ++t)
        out[n * group_codes + t] = static_cast<std::uint8_t>(from[t * codes.stride + n] ^ 0x80);
  }
}

}  // namespace

PackedColumns::PackedColumns(Index contraction, Index columns)
    : contraction_(contraction), columns_(columns), groups_((contraction + group_codes - 1) / group_codes) {
  data_ = AlignedBuffer<std::uint8_t>(panels() * groups_ * panel_group_bytes);
  // Only edges keep this value; the rest is about to be written.
  const bool whole = contraction % group_codes == 0;
  for (Index p = 0; p < panels(); ++p) {
    const bool full_panel = (p + 1) * panel_columns <= columns;
    const Index kept = whole && full_panel ? groups_ : full_panel ? groups_ - 1 : 0;
    std::fill(group(p, kept), group(p, 0) + groups_ * panel_group_bytes, std::uint8_t{0x80});
  }
}

Index PackedColumns::panels() const { return (columns_ + panel_columns - 1) / panel_columns; }

std::uint8_t* PackedColumns::group(Index panel, Index g) {
  return data_.data() + (panel * groups_ + g) * panel_group_bytes;
}
const std::uint8_t* PackedColumns::group(Index panel, Index g) const {
  return data_.data() + (panel * groups_ + g) * panel_group_bytes;
}

std::int32_t PackedColumns::code(Index k, Index n) const {
  return group(n / panel_columns, k / group_codes)[n % panel_columns * group_codes + k % group_codes] - 128;
}

PackedColumns PackedColumns::pack(const Int8View& codes, Transpose transpose) {
  const bool lines = transpose == Transpose::Yes;
  PackedColumns packed(lines ? codes.cols : codes.rows, lines ? codes.rows : codes.cols);
  parallel_for(packed.panels(), 1, [&](Index begin, Index end) {
    for (Index p = begin; p < end; ++p) lines ? pack_lines(codes, p, packed) : pack_groups(codes, p, packed);
  });
  return packed;
}

}  // namespace fixtune
