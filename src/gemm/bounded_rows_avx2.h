#pragma once

#include <immintrin.h>

#include <cstdint>

#include "packed_kernel.h"

/// Rows of codes as the AVX2 kernel reads them. For its file alone: static, no templates of the standard library.
///
/// The kernel adds products in 16 bits, two groups of a row at a time, before it widens them. That is exact while
///   |a0 + a1| <= 128 where a0 a1 > 0,   |a0| + |a1| + |a4| + |a5| <= 255   (the same of a2, a3, a6, a7),
/// for a pair times bytes of B (0 to 255) then stays within 255*128 < 2^15, and the four products with B's codes
/// (-128 to 127) do once 128 times the row's codes are taken off, whatever wraps on the way. Few codes of real rows break
/// that; those that do are set to 0 here, and listed: A = bounded + excess.
namespace fixtune::detail {

/// Rows of a block that lie together: `[pair of groups][row: 8 codes][row: two offsets in 16 bits]`.
inline constexpr std::int64_t bounded_tile_rows = 4;
inline constexpr std::int64_t bounded_pair_bytes = bounded_tile_rows * (2 * group_codes + 4);

struct BoundedRows {
  std::int64_t groups = 0;              ///< in all; the last pair may be half
  std::int64_t most_excess = 0;         ///< entries that a row has room for
  std::uint8_t* tiles = nullptr;        ///< `[tile][pair][48 bytes]`
  DigitGroup* excess = nullptr;         ///< row m's from `excess + m*most_excess`, groups counted from the first here
  std::int32_t* excess_count = nullptr;
  std::int32_t* excess_sum = nullptr;   ///< of a row's excess codes
  std::int32_t* starts = nullptr;       ///< `[row][panel_columns]`: what the sums of one panel start from

  std::int64_t pairs() const { return (groups + 1) / 2; }
  std::uint8_t* tile(std::int64_t row) const { return tiles + row / bounded_tile_rows * pairs() * bounded_pair_bytes; }
};

static inline std::int64_t bounded_rows_up(std::int64_t count, std::int64_t to) { return (count + to - 1) / to * to; }

/// Bytes of each part, in the order in which they lie, each part on a cache line.
struct BoundedRowsBytes {
  std::int64_t header, starts, tiles, counts, excess;
  std::int64_t total() const { return header + starts + tiles + 2 * counts + excess; }
};

static inline BoundedRowsBytes bounded_rows_bytes(std::int64_t rows, std::int64_t groups) {
  const std::int64_t tiled = bounded_rows_up(rows, tile_rows);
  constexpr std::int64_t line = 64, word = sizeof(std::int32_t);
  return {bounded_rows_up(sizeof(BoundedRows), line), tiled * panel_columns * word,
          bounded_rows_up(tiled / bounded_tile_rows * ((groups + 1) / 2) * bounded_pair_bytes, line),
          bounded_rows_up(tiled * word, line), tiled * group_codes * groups * std::int64_t{sizeof(DigitGroup)}};
}

static inline BoundedRows& place_bounded_rows(void* room, std::int64_t rows, std::int64_t groups) {
  const BoundedRowsBytes bytes = bounded_rows_bytes(rows, groups);
  auto* at = static_cast<std::uint8_t*>(room);
  auto& b = *static_cast<BoundedRows*>(room);
  b.groups = groups;
  b.most_excess = group_codes * groups;
  b.starts = reinterpret_cast<std::int32_t*>(at += bytes.header);
  b.tiles = at += bytes.starts;
  b.excess_count = reinterpret_cast<std::int32_t*>(at += bytes.tiles);
  b.excess_sum = reinterpret_cast<std::int32_t*>(at += bytes.counts);
  b.excess = reinterpret_cast<DigitGroup*>(at + bytes.counts);
  __builtin_memset(b.excess_count, 0, static_cast<std::size_t>(2 * bytes.counts));
  return b;
}

static inline std::int32_t magnitude(std::int32_t code) { return code < 0 ? -code : code; }

/// Takes the largest of four codes out, and lists it.
static inline void move_largest(std::int8_t* codes, const std::int64_t (&places)[4], int count, BoundedRows& b, std::int64_t row,
                                std::int64_t pair) {
  std::int64_t largest = places[0];
  for (int i = 1; i < count; ++i)
    if (magnitude(codes[places[i]]) > magnitude(codes[largest])) largest = places[i];
  const std::int32_t code = codes[largest];
  codes[largest] = 0;
  const auto byte = static_cast<std::uint32_t>(static_cast<std::uint8_t>(code));
  b.excess[row * b.most_excess + b.excess_count[row]++] = {
      static_cast<std::int32_t>(2 * pair + largest / group_codes),
      static_cast<std::int32_t>(byte << (8 * (largest % group_codes)))};
  b.excess_sum[row] += code;
}

/// Makes one row's eight codes of a pair of groups keep the bounds.
[[gnu::noinline]] static void bound_codes(std::int8_t* codes, BoundedRows& b, std::int64_t row, std::int64_t pair) {
  for (std::int64_t half = 0; half < 2; ++half) {
    const std::int64_t places[4] = {2 * half, 2 * half + 1, 2 * half + group_codes, 2 * half + 1 + group_codes};
    for (int i = 0; i < 4; i += 2) {
      const std::int64_t two[4] = {places[i], places[i + 1], 0, 0};
      if (magnitude(codes[two[0]] + codes[two[1]]) > 128) move_largest(codes, two, 2, b, row, pair);
    }
    const auto sum = [&] {
      std::int32_t total = 0;
      for (const std::int64_t place : places) total += magnitude(codes[place]);
      return total;
    };
    while (sum() > 255) move_largest(codes, places, 4, b, row, pair);
  }
}

static inline __m256i swap_groups(__m256i pairs) { return _mm256_shuffle_epi32(pairs, 0xb1); }

/// Sums of codes in twos, `[row][group][2]` in 16 bits.
static inline __m256i sums_of_twos(__m256i codes) { return _mm256_maddubs_epi16(_mm256_set1_epi8(1), codes); }

/// Eight bits for each row, not 0 where it breaks the bounds.
static inline std::uint32_t broken_bounds(__m256i codes, __m256i twos) {
  const __m256i magnitudes = _mm256_maddubs_epi16(_mm256_abs_epi8(codes), _mm256_set1_epi8(1));
  const __m256i fours = _mm256_add_epi16(magnitudes, swap_groups(magnitudes));
  const __m256i breaks = _mm256_or_si256(_mm256_cmpgt_epi16(_mm256_abs_epi16(twos), _mm256_set1_epi16(128)),
                                         _mm256_cmpgt_epi16(fours, _mm256_set1_epi16(255)));
  return static_cast<std::uint32_t>(_mm256_movemask_epi8(breaks));
}

/// Stores four rows' codes of one pair of groups, `[row][8]`, bounded, with their offsets, in a tile.
static inline void store_pair(__m256i codes, BoundedRows& b, std::int64_t first_row, std::int64_t pair,
                              std::uint8_t* tile) {
  __m256i twos = sums_of_twos(codes);
  if (const std::uint32_t broken = broken_bounds(codes, twos); __builtin_expect(broken != 0, 0)) {
    alignas(32) std::int8_t eight[bounded_tile_rows * 2 * group_codes];
    _mm256_store_si256(reinterpret_cast<__m256i*>(eight), codes);
    for (std::int64_t r = 0; r < bounded_tile_rows; ++r)
      if ((broken >> (8 * r) & 0xff) != 0) bound_codes(eight + r * 2 * group_codes, b, first_row + r, pair);
    codes = _mm256_load_si256(reinterpret_cast<const __m256i*>(eight));
    twos = sums_of_twos(codes);
  }
  // 128 times a sum, in 16 bits as the products are.
  const __m256i offsets = _mm256_slli_epi16(_mm256_add_epi16(twos, swap_groups(twos)), 7);
  const __m256i packed = _mm256_permutevar8x32_epi32(offsets, _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6));
  std::uint8_t* out = tile + pair * bounded_pair_bytes;
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), codes);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 32), _mm256_castsi256_si128(packed));
}

/// 32 codes of a line, the ones past `count` 0.
static inline __m256i load_codes(const std::int8_t* from, std::int64_t count) {
  if (count >= 32) return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  alignas(32) std::int8_t codes[32] = {};
  for (std::int64_t i = 0; i < count; ++i) codes[i] = from[i];
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(codes));
}

/// Four rows that lie as stored, one code after the other.
static inline void bound_lines(const std::int8_t* const (&lines)[4], std::int64_t first_row, BoundedRows& b) {
  const std::int64_t codes = b.groups * group_codes;
  std::uint8_t* tile = b.tile(first_row);
  for (std::int64_t at = 0; at < codes; at += 32) {
    __m256i row[4];
    for (int r = 0; r < 4; ++r)
      row[r] = lines[r] != nullptr ? load_codes(lines[r] + at, codes - at) : _mm256_setzero_si256();
    const __m256i low01 = _mm256_unpacklo_epi64(row[0], row[1]), high01 = _mm256_unpackhi_epi64(row[0], row[1]);
    const __m256i low23 = _mm256_unpacklo_epi64(row[2], row[3]), high23 = _mm256_unpackhi_epi64(row[2], row[3]);
    const __m256i pairs[4] = {
        _mm256_permute2x128_si256(low01, low23, 0x20), _mm256_permute2x128_si256(high01, high23, 0x20),
        _mm256_permute2x128_si256(low01, low23, 0x31), _mm256_permute2x128_si256(high01, high23, 0x31)};
    const std::int64_t first_pair = at / (2 * group_codes);
    for (std::int64_t p = 0; p < 4 && first_pair + p < b.pairs(); ++p)
      store_pair(pairs[p], b, first_row, first_pair + p, tile);
  }
}

/// Eight rows that lie `[group][row][4]`.
static inline void bound_tile(const std::int8_t* codes, std::int64_t first_row, BoundedRows& b) {
  constexpr std::int64_t group_bytes = tile_rows * group_codes;
  std::uint8_t* tile = b.tile(first_row);
  for (std::int64_t pair = 0; pair < b.pairs(); ++pair) {
    const auto* groups = reinterpret_cast<const __m256i*>(codes + 2 * pair * group_bytes);
    const __m256i first = _mm256_loadu_si256(groups);
    const __m256i second = 2 * pair + 1 < b.groups ? _mm256_loadu_si256(groups + 1) : _mm256_setzero_si256();
    const __m256i low = _mm256_unpacklo_epi32(first, second), high = _mm256_unpackhi_epi32(first, second);
    store_pair(_mm256_permute2x128_si256(low, high, 0x20), b, first_row, pair, tile);
    store_pair(_mm256_permute2x128_si256(low, high, 0x31), b, first_row + bounded_tile_rows, pair,
               b.tile(first_row + bounded_tile_rows));
  }
}

/// The rows of `w` over its groups, in `room` of bounded_rows_bytes.
static inline const BoundedRows* bound_rows(const PanelWork& w, void* room) {
  BoundedRows& b = place_bounded_rows(room, w.row_count, w.end - w.begin);
  if (b.groups == 0) return &b;
  for (std::int64_t row = 0; row < w.row_count; row += tile_rows) {
    const std::int8_t* codes = w.rows + row / tile_rows * w.tile_stride + w.begin * w.group_stride;
    if (w.group_stride != group_codes) {
      bound_tile(codes, row, b);
      continue;
    }
    for (std::int64_t first = row; first < row + tile_rows; first += bounded_tile_rows) {
      const std::int8_t* lines[4];
      for (std::int64_t r = 0; r < 4; ++r)
        lines[r] = first + r < w.row_count ? codes + (first - row + r) * w.row_stride : nullptr;
      bound_lines(lines, first, b);
    }
  }
  return &b;
}

}  // namespace fixtune::detail
