#include "fixtune/core/parallel.h"
#include "fixtune/gemm/packed_product.h"
#include "panel_packing.h"

namespace fixtune {

using detail::group_codes;
using detail::panel_columns;
using detail::panel_group_bytes;

PackedColumns::PackedColumns(Index contraction, Index columns)
    : contraction_(contraction), columns_(columns), groups_((contraction + group_codes - 1) / group_codes) {
  data_ = AlignedBuffer<std::uint8_t>(panels() * groups_ * panel_group_bytes);
  for (Index p = 0; p < panels(); ++p) detail::clear_edges(contraction, columns, p, group(p, 0));
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
  const detail::StoredColumns stored{codes, transpose};
  PackedColumns packed(stored.contraction(), stored.columns());
  parallel_for(packed.panels(), 1, [&](Index begin, Index end) {
    detail::pack_panels(stored, begin, end, packed.group(begin, 0));
  });
  return packed;
}

}  // namespace fixtune
