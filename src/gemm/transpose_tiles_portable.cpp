#include "byte_interleave.h"
#include "transpose_tiles.h"

namespace fixtune::detail {

void transpose_tiles_portable(const TransposeWork& w) {
  for (std::int64_t i = 0; i < w.tiles; ++i)
    interleave_eight_columns(w.codes + 8 * i, w.stride, w.groups, w.out + i * w.tile_stride, w.sums + 8 * i);
}

}  // namespace fixtune::detail
