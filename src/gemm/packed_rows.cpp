#include <algorithm>
#include <cstring>

#include "fixtune/core/parallel.h"
#include "fixtune/gemm/packed_product.h"
#include "packed_dispatch.h"
#include "packed_kernel.h"
#include "quant/row_kernels.h"

namespace fixtune {
namespace {

using detail::group_codes;
using detail::tile_rows;

constexpr Index cache_line = 64;
/// From so many codes on, none are found in the second-level cache by the product that reads them.
constexpr Index streamed_codes = Index{1} << 20;

/// Memory answers after so many bytes were summed.
constexpr Index bytes_ahead = Index{8} << 10;

/// Asks for a row that is summed later.
void fetch(const std::int8_t* codes, Index count) {
  for (Index k = 0; k < count; k += cache_line) __builtin_prefetch(codes + k, /*write=*/0, /*second level=*/2);
}

/// One group of one tile where rows or codes run out.
void copy_edge(const Int8View& codes, Index first, Index g, std::int8_t* out, std::int32_t* sums) {
  for (Index r = 0; r < tile_rows; ++r)
    for (Index t = 0; t < group_codes; ++t) {
      const Index line = g * group_codes + t;
      const bool exists = first + r < codes.cols && line < codes.rows;
      const std::int8_t code = exists ? codes.data[line * codes.stride + first + r] : std::int8_t{0};
      out[r * group_codes + t] = code;
      sums[r] += code;
    }
}

/// Groups [begin, end) of the tiles [first, last) of the transpose.
struct Strip {
  Index begin, end;
  Index first, last;
};

/// To `out` and `sums`, where the first tile begins.
void transpose_strip(const Int8View& codes, const Strip& strip, Index tile_stride, bool stream, std::int8_t* out,
                     std::int32_t* sums) {
  constexpr Index group_bytes = tile_rows * group_codes;
  const Index whole_tiles = std::clamp(codes.cols / tile_rows, strip.first, strip.last);
  const Index whole_groups = std::clamp(codes.rows / group_codes, strip.begin, strip.end);
  detail::TransposeWork work;
  work.codes = codes.data + strip.begin * group_codes * codes.stride + strip.first * tile_rows;
  work.stride = codes.stride;
  work.groups = whole_groups - strip.begin;
  work.tiles = whole_tiles - strip.first;
  work.out = out + strip.begin * group_bytes;
  work.tile_stride = tile_stride;
  work.sums = sums;
  work.stream = stream && tile_stride % cache_line == 0 && reinterpret_cast<std::uintptr_t>(work.out) % cache_line == 0;
  detail::active_panel_kernel().transpose(work);
  for (Index t = strip.first; t < strip.last; ++t)
    for (Index g = t < whole_tiles ? whole_groups : strip.begin; g < strip.end; ++g)
      copy_edge(codes, t * tile_rows, g, out + (t - strip.first) * tile_stride + g * group_bytes,
                sums + (t - strip.first) * tile_rows);
}

Index tiles_of(Index rows) { return (rows + tile_rows - 1) / tile_rows; }

}  // namespace

PackedRows PackedRows::view(const Int8View& codes, std::span<const std::int32_t> row_sums) {
  PackedRows packed;
  packed.rows_ = codes.rows;
  packed.contraction_ = codes.cols;
  packed.group_stride_ = group_codes;
  packed.codes_ = codes.data;
  packed.row_stride_ = codes.stride;
  if (codes.cols % group_codes != 0) {
    packed.row_stride_ = (codes.cols / group_codes + 1) * group_codes;
    packed.copy_ = AlignedBuffer<std::int8_t>(codes.rows * packed.row_stride_);
    packed.copy_.fill(0);
    for (Index r = 0; r < codes.rows; ++r)
      std::copy_n(codes.data + r * codes.stride, codes.cols, packed.copy_.data() + r * packed.row_stride_);
    packed.codes_ = packed.copy_.data();
  }
  packed.tile_stride_ = tile_rows * packed.row_stride_;
  packed.sums_.assign(row_sums.begin(), row_sums.end());
  return packed;
}

PackedRows PackedRows::zeros(Index rows, Index contraction) {
  PackedRows packed;
  packed.rows_ = rows;
  packed.contraction_ = contraction;
  packed.sums_.assign(static_cast<std::size_t>(rows), 0);
  return packed;
}

PackedRows PackedRows::transpose(const Int8View& codes) {
  PackedRows packed;
  packed.rows_ = codes.cols;
  packed.contraction_ = codes.rows;
  packed.row_stride_ = group_codes;
  packed.group_stride_ = tile_rows * group_codes;
  packed.tile_stride_ = (codes.rows + group_codes - 1) / group_codes * packed.group_stride_;
  packed.stored_by_column_ = codes;
  return packed;
}

bool PackedRows::waits() const { return sums_.empty() && rows_ > 0; }

Index PackedRows::bytes_to_make(Index rows) const { return is_transposed() ? tiles_of(rows) * tile_stride_ : 0; }

void PackedRows::make(Index row, Index count, bool stream, std::int8_t* codes, std::int32_t* sums) const {
  if (contraction_ == 0) {
    std::fill_n(sums, count, 0);
    return;
  }
  if (!is_transposed()) {
    const Index ahead = 1 + bytes_ahead / contraction_;
    for (Index r = 0; r < count; ++r) {
      const std::int8_t* line = codes_ + (row + r) * row_stride_;
      fetch(line + ahead * row_stride_, contraction_);
      sums[r] = row_kernels::sum_of_codes(line, contraction_);
    }
    return;
  }
  // A strip of groups for all tiles at once, so that lines of codes are read from cache.
  constexpr Index groups_at_once = 16;
  const Index groups = tile_stride_ / group_stride_, first = row / tile_rows, last = tiles_of(row + count);
  std::fill_n(sums, (last - first) * tile_rows, 0);
  for (Index g = 0; g < groups; g += groups_at_once)
    transpose_strip(stored_by_column_, {g, std::min(g + groups_at_once, groups), first, last}, tile_stride_, stream, codes,
                    sums);
}

PackedRows PackedRows::made() const {
  PackedRows whole;
  whole.rows_ = rows_;
  whole.contraction_ = contraction_;
  whole.tile_stride_ = tile_stride_;
  whole.row_stride_ = row_stride_;
  whole.group_stride_ = group_stride_;
  whole.copy_ = AlignedBuffer<std::int8_t>(bytes_to_make(rows_));
  whole.codes_ = is_transposed() ? whole.copy_.data() : codes_;
  whole.sums_.resize(static_cast<std::size_t>(tiles_of(rows_) * tile_rows));
  const bool stream = rows_ * contraction_ >= streamed_codes;
  parallel_for(tiles_of(rows_), 8, [&](Index begin, Index end) {
    const Index row = begin * tile_rows, count = std::min(end * tile_rows, rows_) - row;
    make(row, count, stream, whole.copy_.data() + begin * tile_stride_, whole.sums_.data() + row);
  });
  return whole;
}

}  // namespace fixtune
