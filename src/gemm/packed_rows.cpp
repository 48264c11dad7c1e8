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

void transpose_strip(const Int8View& codes, const Strip& strip, Index tile_stride, std::int8_t* out,
                     std::int32_t* sums) {
  constexpr Index group_bytes = tile_rows * group_codes;
  const Index whole_tiles = std::clamp(codes.cols / tile_rows, strip.first, strip.last);
  const Index whole_groups = std::clamp(codes.rows / group_codes, strip.begin, strip.end);
  detail::TransposeWork work;
  work.codes = codes.data + strip.begin * group_codes * codes.stride + strip.first * tile_rows;
  work.stride = codes.stride;
  work.groups = whole_groups - strip.begin;
  work.tiles = whole_tiles - strip.first;
  work.out = out + strip.first * tile_stride + strip.begin * group_bytes;
  work.tile_stride = tile_stride;
  work.sums = sums + strip.first * tile_rows;
  work.stream = codes.rows * codes.cols >= streamed_codes && tile_stride % cache_line == 0 &&
                reinterpret_cast<std::uintptr_t>(work.out) % cache_line == 0;
  detail::active_panel_kernel().transpose(work);
  for (Index t = strip.first; t < strip.last; ++t)
    for (Index g = t < whole_tiles ? whole_groups : strip.begin; g < strip.end; ++g)
      copy_edge(codes, t * tile_rows, g, out + t * tile_stride + g * group_bytes, sums + t * tile_rows);
}

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
  if (!row_sums.empty()) return packed;
  packed.sums_.resize(static_cast<std::size_t>(codes.rows));
  parallel_for(codes.rows, 256, [&](Index begin, Index end) {
    for (Index r = begin; r < end; ++r)
      packed.sums_[static_cast<std::size_t>(r)] = row_kernels::sum_of_codes(codes.data + r * codes.stride, codes.cols);
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
  parallel_for(tiles, 8, [&](Index begin, Index end) {
    // A strip of groups for all tiles at once, so that lines of codes are read from cache.
    constexpr Index groups_at_once = 16;
    for (Index g = 0; g < groups; g += groups_at_once)
      transpose_strip(codes, {g, std::min(g + groups_at_once, groups), begin, end}, packed.tile_stride_,
                      packed.copy_.data(), packed.sums_.data());
  });
  return packed;
}

namespace {

/// INT8 codes that a digit is held as.
std::int32_t parts_of(std::int32_t digit) { return (std::abs(digit) + 126) / 127; }

/// Writes a digit's parts, at place `along` of the contraction; returns where the next goes.
template <typename Group>
Group* write_parts(std::int32_t digit, std::int32_t along, Group* out) {
  while (digit != 0) {
    const std::int32_t part = std::clamp(digit, -127, 127);
    digit -= part;
    const std::uint32_t byte = static_cast<std::uint32_t>(part) & 0xffU;
    const auto shifted = static_cast<std::int32_t>(byte << (8 * (along % group_codes)));
    *out++ = {static_cast<std::int32_t>(along / group_codes), shifted};
  }
  return out;
}

}  // namespace

DigitRows::DigitRows(std::span<const SparseDigit> digits, Index rows, std::int32_t unit, bool by_column)
    : unit_(unit) {
  if (digits.empty()) return;
  const auto count = static_cast<std::size_t>(rows);
  starts_.assign(count + 1, 0);
  sums_.assign(count, 0);
  magnitudes_.assign(count, 0);
  for (const SparseDigit& d : digits) {
    const auto row = static_cast<std::size_t>(by_column ? d.column : d.row);
    starts_[row + 1] += parts_of(d.digit);
    sums_[row] += d.digit;
    magnitudes_[row] += std::abs(d.digit);
  }
  for (std::size_t r = 0; r < count; ++r) starts_[r + 1] += starts_[r];
  groups_.resize(static_cast<std::size_t>(starts_.back()));
  if (by_column) {
    WorkspaceVector<Group*> next(count);
    for (std::size_t r = 0; r < count; ++r) next[r] = groups_.data() + starts_[r];
    for (const SparseDigit& d : digits) {
      Group*& out = next[static_cast<std::size_t>(d.column)];
      out = write_parts(d.digit, d.row, out);
    }
    return;
  }
  // Sorted by row: a thread's digits, and where they go, lie together.
  constexpr Index digits_worth_a_thread = 8192;
  parallel_for(static_cast<Index>(digits.size()), digits_worth_a_thread, [&](Index begin, Index end) {
    const auto range = digits.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
    const std::int32_t first_row = range.front().row;
    Group* out = groups_.data() + starts_[static_cast<std::size_t>(first_row)];
    for (Index i = begin - 1; i >= 0 && digits[static_cast<std::size_t>(i)].row == first_row; --i)
      out += parts_of(digits[static_cast<std::size_t>(i)].digit);
    for (const SparseDigit& d : range) out = write_parts(d.digit, d.column, out);
  });
}

}  // namespace fixtune
