#include <algorithm>
#include <cstring>

#include "byte_interleave.h"
#include "fixtune/core/multiversion.h"
#include "fixtune/core/parallel.h"
#include "fixtune/gemm/packed_product.h"
#include "packed_kernel.h"

namespace fixtune {
namespace {

using detail::group_codes;
using detail::tile_rows;

FIXTUNE_MULTIVERSION std::int32_t sum_of(const std::int8_t* codes, std::int64_t count) {
  std::int32_t sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum += codes[i];
  return sum;
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

/// Groups [begin, end) of one tile of the transpose.
void transpose_tile(const Int8View& codes, Index tile, Index begin, Index end, std::int8_t* out, std::int32_t* sums) {
  const Index first = tile * tile_rows;
  const Index whole = first + tile_rows <= codes.cols ? std::min(end, codes.rows / group_codes) : begin;
  constexpr Index group_bytes = tile_rows * group_codes;
  if (whole > begin)
    detail::interleave_eight_columns(codes.data + begin * group_codes * codes.stride + first, codes.stride,
                                     whole - begin, out + begin * group_bytes, sums);
  for (Index g = std::max(begin, whole); g < end; ++g) copy_edge(codes, first, g, out + g * group_bytes, sums);
}

}  // namespace

PackedRows PackedRows::view(const Int8View& codes) {
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
  packed.sums_.resize(static_cast<std::size_t>(codes.rows));
  parallel_for(codes.rows, 256, [&](Index begin, Index end) {
    for (Index r = begin; r < end; ++r)
      packed.sums_[static_cast<std::size_t>(r)] = sum_of(codes.data + r * codes.stride, codes.cols);
  });
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
  const Index groups = (codes.rows + group_codes - 1) / group_codes;
  const Index tiles = (codes.cols + tile_rows - 1) / tile_rows;
  packed.row_stride_ = group_codes;
  packed.group_stride_ = tile_rows * group_codes;
  packed.tile_stride_ = groups * packed.group_stride_;
  packed.copy_ = AlignedBuffer<std::int8_t>(tiles * packed.tile_stride_);
  packed.codes_ = packed.copy_.data();
  packed.sums_.assign(static_cast<std::size_t>(tiles * tile_rows), 0);
  parallel_for(tiles, 4, [&](Index begin, Index end) {
    // A strip of groups for all tiles at once, so that lines of codes are read from cache.
    constexpr Index strip = 16;
    for (Index g = 0; g < groups; g += strip)
      for (Index t = begin; t < end; ++t)
        transpose_tile(codes, t, g, std::min(g + strip, groups), packed.copy_.data() + t * packed.tile_stride_,
                       packed.sums_.data() + t * tile_rows);
  });
  return packed;
}

DigitRows::DigitRows(std::span<const SparseDigit> digits, Index rows, std::int32_t unit, bool by_column)
    : unit_(unit) {
  if (digits.empty()) return;
  const auto row_of = [&](const SparseDigit& d) { return static_cast<std::size_t>(by_column ? d.column : d.row); };
  const auto parts = [](const SparseDigit& d) { return (std::abs(d.digit) + 126) / 127; };
  const auto count = static_cast<std::size_t>(rows);
  starts_.assign(count + 1, 0);
  sums_.assign(count, 0);
  magnitudes_.assign(count, 0);
  for (const SparseDigit& d : digits) {
    starts_[row_of(d) + 1] += parts(d);
    sums_[row_of(d)] += d.digit;
    magnitudes_[row_of(d)] += std::abs(d.digit);
  }
  for (std::size_t r = 0; r < count; ++r) starts_[r + 1] += starts_[r];
  groups_.resize(static_cast<std::size_t>(starts_.back()));
  std::vector<std::int32_t> next(starts_.begin(), starts_.end() - 1);
  for (const SparseDigit& d : digits) {
    const std::int32_t along = by_column ? d.row : d.column;
    for (std::int32_t left = d.digit; left != 0;) {
      const std::int32_t part = std::clamp(left, -127, 127);
      left -= part;
      const std::uint32_t byte = static_cast<std::uint32_t>(part) & 0xffU;
      const auto shifted = static_cast<std::int32_t>(byte << (8 * (along % group_codes)));
      groups_[static_cast<std::size_t>(next[row_of(d)]++)] = {static_cast<std::int32_t>(along / group_codes), shifted};
    }
  }
}

}  // namespace fixtune
