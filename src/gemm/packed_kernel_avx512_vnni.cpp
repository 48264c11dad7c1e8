// Compiled for AVX-512 with VNNI; see gemm/CMakeLists.txt.
#include <immintrin.h>

#include "asked_lines.h"
#include "departing_tile_avx512.h"
#include "packed_kernel.h"
#include "sparse_sums.h"
#include "store_kind.h"
#include "transposed_store.h"
#include "transposed_store_avx512.h"
#include "unroll.h"

namespace fixtune::detail {
namespace {

constexpr int vectors = 3;  // of a panel's columns

using Sums = __m512i[vectors];
using Floats = __m512[vectors];

inline __m512i broadcast(const std::int8_t* codes) {
  std::int32_t four;
  __builtin_memcpy(&four, codes, sizeof four);
  return _mm512_set1_epi32(four);
}

inline void add_group(Sums& acc, const std::uint8_t* group, __m512i codes) {
FIXTUNE_UNROLL
  for (int v = 0; v < vectors; ++v) acc[v] = _mm512_dpbusd_epi32(acc[v], _mm512_loadu_si512(group + 64 * v), codes);
}

inline std::int32_t times_128(std::uint32_t sum) { return static_cast<std::int32_t>(128U * sum); }

struct Masks {
  __mmask16 of[vectors];
};

// Plain instructions where all columns of the panel exist: masked stores cost more.
template <bool Whole>
inline __m512 load_floats(const float* from, __mmask16 mask) {
  return Whole ? _mm512_loadu_ps(from) : _mm512_maskz_loadu_ps(mask, from);
}

template <bool Whole>
inline void store_floats(float* to, __mmask16 mask, __m512 value) {
  if constexpr (Whole)
    _mm512_storeu_ps(to, value);
  else
    _mm512_mask_storeu_ps(to, mask, value);
}

inline Masks masks_for(std::int64_t columns) {
  Masks masks{};
FIXTUNE_UNROLL
  for (int v = 0; v < vectors; ++v) {
    const std::int64_t left = columns - 16 * v;
    const std::uint32_t bits = left >= 16 ? 0xffffU : left <= 0 ? 0U : (1U << left) - 1U;
    masks.of[v] = static_cast<__mmask16>(bits);
  }
  return masks;
}

/// Digits times their columns of B, each byte of which is 128 too large.
inline void sum_digits(Sums& acc, const PanelWork& w, std::int64_t row) {
FIXTUNE_UNROLL
  for (int v = 0; v < vectors; ++v) acc[v] = _mm512_setzero_si512();
  for (std::int32_t d = w.digit_starts[row]; d < w.digit_starts[row + 1]; ++d)
    add_group(acc, w.panel + w.digits[d].group * panel_group_bytes, _mm512_set1_epi32(w.digits[d].codes));
}

/// acc + unit*digits in double, exact, rounded to FP32 once.
inline __m512 joined_wide(__m512i acc, __m512i digits, double unit) {
  const auto join = [&](__m256i a, __m256i d) __attribute__((always_inline)) {
    const __m512d outliers = _mm512_mul_pd(_mm512_set1_pd(unit), _mm512_cvtepi32_pd(d));
    return _mm512_cvtpd_ps(_mm512_add_pd(_mm512_cvtepi32_pd(a), outliers));
  };
  const __m256 low = join(_mm512_castsi512_si256(acc), _mm512_castsi512_si256(digits));
  const __m256 high = join(_mm512_extracti64x4_epi64(acc, 1), _mm512_extracti64x4_epi64(digits, 1));
  return _mm512_insertf32x8(_mm512_castps256_ps512(low), high, 1);
}

struct Tile {
  std::int64_t first_row;
  bool wide;
};

// What the sums start from: the outlier digits, times their unit, less 128 times what the row sums to.
template <int R>
inline void start(Sums (&acc)[R], const PanelWork& w, Tile tile, const Masks& masks) {
FIXTUNE_UNROLL
  for (int r = 0; r < R; ++r) {
    const std::int64_t row = tile.first_row + r;
    if (!w.first) {
FIXTUNE_UNROLL
      for (int v = 0; v < vectors; ++v)
        acc[r][v] = _mm512_maskz_loadu_epi32(masks.of[v], w.sums + row * w.sums_stride + 16 * v);
      continue;
    }
    std::uint32_t offset = static_cast<std::uint32_t>(w.row_sums[row]);
FIXTUNE_UNROLL
    for (int v = 0; v < vectors; ++v) acc[r][v] = _mm512_setzero_si512();
    if (w.digit_starts != nullptr && !tile.wide && w.digit_starts[row] != w.digit_starts[row + 1]) {
      sum_digits(acc[r], w, row);
FIXTUNE_UNROLL
      for (int v = 0; v < vectors; ++v) acc[r][v] = _mm512_mullo_epi32(acc[r][v], _mm512_set1_epi32(w.unit));
      offset += static_cast<std::uint32_t>(w.unit) * static_cast<std::uint32_t>(w.digit_sums[row]);
    }
    // Wraps on the way; the finished sum fits.
    const __m512i less = _mm512_set1_epi32(times_128(offset));
FIXTUNE_UNROLL
    for (int v = 0; v < vectors; ++v) acc[r][v] = _mm512_sub_epi32(acc[r][v], less);
  }
}

/// `start` where no row has digits.
template <int R>
inline void start_plain(Sums (&acc)[R], const std::int32_t* row_sums) {
FIXTUNE_UNROLL
  for (int r = 0; r < R; ++r) {
    const __m512i less = _mm512_slli_epi32(_mm512_set1_epi32(row_sums[r]), 7);
FIXTUNE_UNROLL
    for (int v = 0; v < vectors; ++v) acc[r][v] = _mm512_sub_epi32(_mm512_setzero_si512(), less);
  }
}

/// The products of the groups in `bytes` bytes of a row, from `at` on.
template <int R>
[[gnu::always_inline]] inline void contract(Sums (&acc)[R], const std::int8_t* const (&row)[R], std::int64_t& at,
                                            std::int64_t stride, const std::uint8_t*& group, std::int64_t bytes) {
  for (const std::int64_t stop = at + bytes; at < stop; at += stride, group += panel_group_bytes) {
    const __m512i b0 = _mm512_loadu_si512(group);
    const __m512i b1 = _mm512_loadu_si512(group + 64);
    const __m512i b2 = _mm512_loadu_si512(group + 128);
FIXTUNE_UNROLL
    for (int r = 0; r < R; ++r) {
      const __m512i a = broadcast(row[r] + at);
      acc[r][0] = _mm512_dpbusd_epi32(acc[r][0], b0, a);
      acc[r][1] = _mm512_dpbusd_epi32(acc[r][1], b1, a);
      acc[r][2] = _mm512_dpbusd_epi32(acc[r][2], b2, a);
    }
  }
}

template <int R, bool Departs>
inline void contract(Sums (&acc)[R], const PanelWork& w, std::int64_t tile_index, DepartingTile& departing,
                     AskedLines& asked) {
  // A copy whose address nobody has: only such an array stays in registers.
  Sums sums[R];
  const std::int8_t* row[R];
FIXTUNE_UNROLL
  for (int r = 0; r < R; ++r) {
FIXTUNE_UNROLL
    for (int v = 0; v < vectors; ++v) sums[r][v] = acc[r][v];
    row[r] = w.rows + tile_index * w.tile_stride + r * w.row_stride + w.begin * w.group_stride;
  }
  const std::uint8_t* group = w.panel + w.begin * panel_group_bytes;
  const std::int64_t groups = w.end - w.begin;
  std::int64_t at = 0;
  if constexpr (R == tile_rows) {
    const bool departs = Departs && departing.waits();
    if (departs || asked.any()) {
      const std::int64_t bytes_a_line = groups / DepartingTile::lines * w.group_stride;
      for (std::int64_t i = 0; i < DepartingTile::lines; ++i) {
        if (departs) departing.send_line();
        asked.next();
        contract(sums, row, at, w.group_stride, group, bytes_a_line);
      }
      if (departs) departing.end();
    }
  }
  contract(sums, row, at, w.group_stride, group, groups * w.group_stride - at);
FIXTUNE_UNROLL
  for (int r = 0; r < R; ++r)
FIXTUNE_UNROLL
    for (int v = 0; v < vectors; ++v) acc[r][v] = sums[r][v];
}

inline void to_floats(Floats& out, const Sums& acc, const PanelWork& w, std::int64_t row, bool wide) {
  if (!wide || w.digit_starts[row] == w.digit_starts[row + 1]) {
FIXTUNE_UNROLL
    for (int v = 0; v < vectors; ++v) out[v] = _mm512_cvtepi32_ps(acc[v]);
    return;
  }
  Sums digits;
  sum_digits(digits, w, row);
  const __m512i less = _mm512_set1_epi32(times_128(static_cast<std::uint32_t>(w.digit_sums[row])));
FIXTUNE_UNROLL
  for (int v = 0; v < vectors; ++v) out[v] = joined_wide(acc[v], _mm512_sub_epi32(digits[v], less), w.unit);
}

inline void sum_sparse_row(const PanelWork& w, std::int64_t row, float* added) {
  if (sparse_count(w, row) > sparse_codes_in_32_bits)
    return sparse_part_in_64_bits(w, row, 0, panel_columns, added);
  Sums sums;
FIXTUNE_UNROLL
  for (int v = 0; v < vectors; ++v) sums[v] = _mm512_setzero_si512();
  for (std::int32_t i = w.sparse_starts[row]; i < w.sparse_starts[row + 1]; ++i) {
    const std::int16_t* line = w.sparse_panel + w.sparse_codes[i].slot * panel_columns;
    // Weights widened to 32 bits: of each pair of products the second is one with zero.
    const __m512i code = _mm512_set1_epi32(w.sparse_codes[i].code & 0xffff);
FIXTUNE_UNROLL
    for (int v = 0; v < vectors; ++v) {
      const __m256i weights = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(line + 16 * v));
      sums[v] = _mm512_dpwssd_epi32(sums[v], _mm512_cvtepi16_epi32(weights), code);
    }
  }
FIXTUNE_UNROLL
  for (int v = 0; v < vectors; ++v) {
    const __m512 scaled = _mm512_mul_ps(_mm512_cvtepi32_ps(sums[v]), _mm512_set1_ps(w.sparse_row_step));
    _mm512_store_ps(added + 16 * v, _mm512_mul_ps(scaled, _mm512_set1_ps(w.sparse_column_step)));
  }
}

/// What the sparse part adds to a tile's rows, `[row][48]`, where they have one.
template <int R>
inline void sum_sparse_rows(const PanelWork& w, Tile tile, float* added) {
  if (w.sparse_starts == nullptr || w.sparse_starts[tile.first_row] == w.sparse_starts[tile.first_row + R]) return;
  for (std::int64_t r = 0; r < R; ++r)
    if (sparse_count(w, tile.first_row + r) != 0) sum_sparse_row(w, tile.first_row + r, added + r * panel_columns);
}

template <int R, bool Whole>
inline void finish(const Sums (&acc)[R], const PanelWork& w, Tile tile, const Masks& masks, const float* added) {
  alignas(64) float transposed[R * panel_columns];
  Floats column_steps, bias;
FIXTUNE_UNROLL
  for (int v = 0; v < vectors; ++v) {
    column_steps[v] = w.column_steps != nullptr ? load_floats<Whole>(w.column_steps + 16 * v, masks.of[v])
                                                : _mm512_set1_ps(w.column_step);
    bias[v] = w.bias != nullptr ? load_floats<Whole>(w.bias + 16 * v, masks.of[v]) : _mm512_setzero_ps();
  }
FIXTUNE_UNROLL
  for (int r = 0; r < R; ++r) {
    const std::int64_t row = tile.first_row + r;
    const __m512 row_step = _mm512_set1_ps(w.row_steps != nullptr ? w.row_steps[row] : w.row_step);
    Floats y;
    to_floats(y, acc[r], w, row, tile.wide);
    const bool sparse = sparse_count(w, row) != 0;
FIXTUNE_UNROLL
    for (int v = 0; v < vectors; ++v) {
      y[v] = _mm512_mul_ps(_mm512_mul_ps(y[v], row_step), column_steps[v]);
      if (w.bias != nullptr) y[v] = _mm512_add_ps(y[v], bias[v]);
      if (sparse) y[v] = _mm512_add_ps(y[v], _mm512_load_ps(added + r * panel_columns + 16 * v));
      float* out = w.transposed ? transposed + r * panel_columns + 16 * v : w.y + row * w.y_stride + 16 * v;
      if (w.add && !w.transposed) y[v] = _mm512_add_ps(load_floats<Whole>(out, masks.of[v]), y[v]);
      if (Whole && w.stream)
        _mm512_stream_ps(out, y[v]);
      else
        store_floats<Whole>(out, masks.of[v], y[v]);
    }
  }
  if (w.transposed) store_transposed<R>(transposed, panel_columns, w.columns, w.y + tile.first_row, w.y_stride, w.add);
}

/// `finish` for what most tiles are (see is_plain). It asks nothing on its way, so that the CPU overlaps it with the next
/// tile's products: half of what a tile costs beside them.
template <Store To, bool Bias>
inline void finish_plain(const Sums (&acc)[tile_rows], const PanelWork& w, Tile tile, float* y, std::int64_t stride) {
  // Read before the first store, which for all the compiler knows changes them.
  const float* const row_steps = w.row_steps != nullptr ? w.row_steps + tile.first_row : &w.row_step;
  const std::int64_t next_step = w.row_steps != nullptr ? 1 : 0;
  Floats column_steps, bias;
FIXTUNE_UNROLL
  for (int v = 0; v < vectors; ++v) {
    column_steps[v] =
        w.column_steps != nullptr ? _mm512_loadu_ps(w.column_steps + 16 * v) : _mm512_set1_ps(w.column_step);
    if constexpr (Bias) bias[v] = _mm512_loadu_ps(w.bias + 16 * v);
  }
FIXTUNE_UNROLL
  for (int r = 0; r < tile_rows; ++r) {
    const __m512 row_step = _mm512_set1_ps(row_steps[r * next_step]);
FIXTUNE_UNROLL
    for (int v = 0; v < vectors; ++v) {
      float* out = y + r * stride + 16 * v;
      __m512 value = _mm512_mul_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(acc[r][v]), row_step), column_steps[v]);
      if constexpr (Bias) value = _mm512_add_ps(value, bias[v]);
      if constexpr (To == Store::Add) value = _mm512_add_ps(_mm512_loadu_ps(out), value);
      _mm512_storeu_ps(out, value);
    }
  }
}

template <Store To>
inline void finish_plain(const Sums (&acc)[tile_rows], const PanelWork& w, Tile tile, float* y, std::int64_t stride) {
  if (w.bias != nullptr)
    finish_plain<To, true>(acc, w, tile, y, stride);
  else
    finish_plain<To, false>(acc, w, tile, y, stride);
}

template <bool Add>
inline void store_columns(const float* rows, float* y, std::int64_t stride) {
  for (int v = 0; v < vectors; ++v)
    store_transposed_8x16<Add>(rows + 16 * v, panel_columns, y + 16 * v * stride, stride);
}

template <bool Departs>
inline void finish_plain(const Sums (&acc)[tile_rows], const PanelWork& w, Tile tile, DepartingTile& departing) {
  if constexpr (Departs) {
    finish_plain<Store::Over>(acc, w, tile, departing.rows, panel_columns);
    return departing.begin(w.y + tile.first_row * w.y_stride, w.y_stride);
  }
  if (w.transposed) {
    alignas(64) float rows[tile_rows * panel_columns];
    finish_plain<Store::Over>(acc, w, tile, rows, panel_columns);
    float* const y = w.y + tile.first_row;
    return w.add ? store_columns<true>(rows, y, w.y_stride) : store_columns<false>(rows, y, w.y_stride);
  }
  float* const y = w.y + tile.first_row * w.y_stride;
  if (w.add)
    finish_plain<Store::Add>(acc, w, tile, y, w.y_stride);
  else
    finish_plain<Store::Over>(acc, w, tile, y, w.y_stride);
}

/// Whole in its columns, its digits joined in 32 bits, and without a sparse part.
inline bool is_plain(const PanelWork& w, Tile tile) {
  return w.columns == panel_columns && !tile.wide && w.sparse_starts == nullptr;
}

template <int R>
inline bool has_digits(const PanelWork& w, Tile tile) {
  return w.digit_starts != nullptr && w.digit_starts[tile.first_row] != w.digit_starts[tile.first_row + R];
}

/// Not inlined: in one function with the other sizes GCC keeps the sums in memory.
template <int R, bool Departs>
[[gnu::noinline]] void run_tile(const PanelWork& w, std::int64_t tile_index, const Masks& masks,
                                DepartingTile& departing, AskedLines& asked) {
  const Tile tile{tile_index * tile_rows, w.wide_tiles != nullptr && w.wide_tiles[tile_index] != 0};
  // Before the accumulators: they leave no registers for it.
  alignas(64) float added[R * panel_columns];
  if (w.last) sum_sparse_rows<R>(w, tile, added);
  Sums acc[R];
  if (w.first && !has_digits<R>(w, tile))
    start_plain(acc, w.row_sums + tile.first_row);
  else
    start(acc, w, tile, masks);
  contract<R, Departs>(acc, w, tile_index, departing, asked);
  if (w.last) {
    if constexpr (R == tile_rows)
      if (is_plain(w, tile)) return finish_plain<Departs>(acc, w, tile, departing);
    if (w.columns == panel_columns)
      finish<R, true>(acc, w, tile, masks, added);
    else
      finish<R, false>(acc, w, tile, masks, added);
    return;
  }
  if constexpr (Departs && R == tile_rows) {
    if (w.columns == panel_columns) {
FIXTUNE_UNROLL
      for (int r = 0; r < R; ++r)
FIXTUNE_UNROLL
        for (int v = 0; v < vectors; ++v) _mm512_store_si512(departing.rows + r * panel_columns + 16 * v, acc[r][v]);
      return departing.begin(w.sums + tile.first_row * w.sums_stride, w.sums_stride);
    }
  }
FIXTUNE_UNROLL
  for (int r = 0; r < R; ++r)
FIXTUNE_UNROLL
    for (int v = 0; v < vectors; ++v)
      _mm512_mask_storeu_epi32(w.sums + (tile.first_row + r) * w.sums_stride + 16 * v, masks.of[v], acc[r][v]);
}

template <bool Departs>
void run_tiles(const PanelWork& w) {
  const Masks masks = masks_for(w.columns);
  DepartingTile departing;
  const std::int64_t whole = w.row_count / tile_rows;
  AskedLines asked(w, whole * DepartingTile::lines);
  for (std::int64_t t = 0; t < whole; ++t) run_tile<8, Departs>(w, t, masks, departing, asked);
  if constexpr (Departs) departing.send_rest();
  switch (w.row_count % tile_rows) {
    case 1: return run_tile<1, false>(w, whole, masks, departing, asked);
    case 2: return run_tile<2, false>(w, whole, masks, departing, asked);
    case 3: return run_tile<3, false>(w, whole, masks, departing, asked);
    case 4: return run_tile<4, false>(w, whole, masks, departing, asked);
    case 5: return run_tile<5, false>(w, whole, masks, departing, asked);
    case 6: return run_tile<6, false>(w, whole, masks, departing, asked);
    case 7: return run_tile<7, false>(w, whole, masks, departing, asked);
    default: return;
  }
}

}  // namespace

void panel_kernel_avx512_vnni(const PanelWork& w) {
  if (w.stream)
    run_tiles<true>(w);
  else
    run_tiles<false>(w);
}

}  // namespace fixtune::detail
