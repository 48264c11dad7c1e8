#pragma once

#include <immintrin.h>

#include <cstdint>

#include "packed_kernel.h"
#include "sparse_sums.h"
#include "store_kind.h"
#include "transposed_store.h"
#include "unroll.h"

/// Sums of a few columns of a panel, eight to a register: where they start and how they end. For the files of the 256-bit
/// kernels alone: static, so that each instruction set keeps its own copy; no templates of the standard library.
namespace fixtune::detail {

inline constexpr std::int64_t lanes = 8;

/// Of `vectors` times eight columns: a strip.
template <int vectors>
using StripSums = __m256i[vectors];

/// Up to eight columns.
struct Lanes {
  std::int64_t first_column;  ///< in the panel
  std::int64_t columns;       ///< that exist, of eight; none or fewer in what pads the panel
};

static inline Lanes lanes_from(const PanelWork& w, std::int64_t first_column) {
  const std::int64_t left = w.columns - first_column;
  return {first_column, left < lanes ? left : lanes};
}

static inline __m256i load_columns(const std::uint8_t* group) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(group));
}

static inline std::int32_t times_128(std::uint32_t sum) { return static_cast<std::int32_t>(128U * sum); }

static inline bool has_digits(const PanelWork& w, std::int64_t row) {
  return w.digit_starts != nullptr && w.digit_starts[row] != w.digit_starts[row + 1];
}

/// Whether the digits are added in 64 bits, at the end.
static inline bool joins_wide(const PanelWork& w, std::int64_t row) {
  return w.wide_tiles != nullptr && w.wide_tiles[row / tile_rows] != 0 && has_digits(w, row);
}

static inline __m256i kept_sums(const PanelWork& w, const Lanes& l, std::int64_t row) {
  if (l.columns <= 0) return _mm256_setzero_si256();
  const std::int32_t* from = w.sums + row * w.sums_stride + l.first_column;
  if (l.columns == lanes) return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  alignas(32) std::int32_t kept[lanes] = {};
  for (std::int64_t n = 0; n < l.columns; ++n) kept[n] = from[n];
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(kept));
}

static inline void keep_sums(__m256i sums, const PanelWork& w, const Lanes& l, std::int64_t row) {
  std::int32_t* to = w.sums + row * w.sums_stride + l.first_column;
  if (l.columns == lanes) return _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), sums);
  alignas(32) std::int32_t kept[lanes];
  _mm256_store_si256(reinterpret_cast<__m256i*>(kept), sums);
  for (std::int64_t n = 0; n < l.columns; ++n) to[n] = kept[n];
}

/// What the sparse part adds to a row's strip of columns.
template <int vectors>
static inline void sum_sparse_strip(const PanelWork& w, std::int64_t row, std::int64_t first_column, float* added) {
  if (sparse_count(w, row) > sparse_codes_in_32_bits)
    return sparse_part_in_64_bits(w, row, first_column, vectors * lanes, added);
  StripSums<vectors> sums = {};
  for (std::int32_t i = w.sparse_starts[row]; i < w.sparse_starts[row + 1]; ++i) {
    const std::int16_t* line = w.sparse_panel + w.sparse_codes[i].slot * panel_columns + first_column;
    // Weights widened to 32 bits: of each pair of products the second is one with zero.
    const __m256i code = _mm256_set1_epi32(w.sparse_codes[i].code & 0xffff);
FIXTUNE_UNROLL
    for (int v = 0; v < vectors; ++v) {
      const __m128i weights = _mm_loadu_si128(reinterpret_cast<const __m128i*>(line + v * lanes));
      sums[v] = _mm256_add_epi32(sums[v], _mm256_madd_epi16(_mm256_cvtepi16_epi32(weights), code));
    }
  }
FIXTUNE_UNROLL
  for (int v = 0; v < vectors; ++v) {
    const __m256 scaled = _mm256_mul_ps(_mm256_cvtepi32_ps(sums[v]), _mm256_set1_ps(w.sparse_row_step));
    _mm256_store_ps(added + v * lanes, _mm256_mul_ps(scaled, _mm256_set1_ps(w.sparse_column_step)));
  }
}

/// `added`: what the sparse part adds, or null.
static inline void finish_whole(__m256i acc, const PanelWork& w, std::int64_t first_column, std::int64_t row,
                                const float* added, float* y) {
  const __m256 row_step = _mm256_set1_ps(w.row_steps != nullptr ? w.row_steps[row] : w.row_step);
  const __m256 column_step = w.column_steps != nullptr ? _mm256_loadu_ps(w.column_steps + first_column)
                                                       : _mm256_set1_ps(w.column_step);
  __m256 value = _mm256_mul_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(acc), row_step), column_step);
  if (w.bias != nullptr) value = _mm256_add_ps(value, _mm256_loadu_ps(w.bias + first_column));
  if (added != nullptr) value = _mm256_add_ps(value, _mm256_load_ps(added));
  if (w.add && !w.transposed) value = _mm256_add_ps(_mm256_loadu_ps(y), value);
  if (w.stream)
    _mm256_stream_ps(y, value);
  else
    _mm256_storeu_ps(y, value);
}

// Element by element: lanes past the last column must not be touched, and rows that join in 64 bits are rare. `wide`:
// the sums of the digits to join, each byte of B 128 too large; null where there are none.
template <int vectors>
[[gnu::noinline]] static void finish_some(const StripSums<vectors>& acc, const StripSums<vectors>* wide,
                                          const PanelWork& w, std::int64_t row, std::int64_t first_column,
                                          const float* added, float* y) {
  if (!w.last) {
    for (int v = 0; v < vectors; ++v) keep_sums(acc[v], w, lanes_from(w, first_column + v * lanes), row);
    return;
  }
  constexpr std::int64_t strip = vectors * lanes;
  const __m256i less =
      _mm256_set1_epi32(wide != nullptr ? times_128(static_cast<std::uint32_t>(w.digit_sums[row])) : 0);
  alignas(32) std::int32_t sums[strip], digits[strip] = {};
  for (int v = 0; v < vectors; ++v) {
    _mm256_store_si256(reinterpret_cast<__m256i*>(sums + v * lanes), acc[v]);
    if (wide != nullptr)
      _mm256_store_si256(reinterpret_cast<__m256i*>(digits + v * lanes), _mm256_sub_epi32((*wide)[v], less));
  }
  const float row_step = w.row_steps != nullptr ? w.row_steps[row] : w.row_step;
  for (std::int64_t n = 0; n < strip && first_column + n < w.columns; ++n) {
    const std::int64_t column = first_column + n;
    const float sum = wide != nullptr
                          ? static_cast<float>(static_cast<double>(sums[n]) + static_cast<double>(w.unit) * digits[n])
                          : static_cast<float>(sums[n]);
    float value = (sum * row_step) * (w.column_steps != nullptr ? w.column_steps[column] : w.column_step);
    if (w.bias != nullptr) value += w.bias[column];
    if (added != nullptr) value += added[n];
    y[n] = w.add && !w.transposed ? y[n] + value : value;
  }
}

/// Ends a row's strip. Where the output is transposed it goes to `finished`, `[strip]`. add_digits(sums) adds the row's
/// digits times its columns.
template <int vectors, typename AddDigits>
static inline void finish_row(const StripSums<vectors>& acc, const PanelWork& w, std::int64_t row,
                              std::int64_t first_column, float* finished, AddDigits&& add_digits) {
  constexpr std::int64_t strip = vectors * lanes;
  float* y = w.transposed ? finished : w.y + row * w.y_stride + first_column;
  alignas(32) float sparse[strip];
  const float* added = w.last && sparse_count(w, row) != 0 ? sparse : nullptr;
  if (added != nullptr) sum_sparse_strip<vectors>(w, row, first_column, sparse);
  const bool wide = w.last && joins_wide(w, row);
  if (w.last && !wide && first_column + strip <= w.columns) {
FIXTUNE_UNROLL
    for (int v = 0; v < vectors; ++v)
      finish_whole(acc[v], w, first_column + v * lanes, row, added == nullptr ? nullptr : added + v * lanes,
                   y + v * lanes);
    return;
  }
  StripSums<vectors> digits = {};
  if (wide) add_digits(digits);
  finish_some<vectors>(acc, wide ? &digits : nullptr, w, row, first_column, added, y);
}

/// Whether the strips of a tile's rows end in the usual way: whole, digits joined in 32 bits, and without a sparse part.
template <int vectors>
static inline bool is_plain(const PanelWork& w, std::int64_t first_row, std::int64_t first_column) {
  return w.last && first_column + vectors * lanes <= w.columns && w.sparse_starts == nullptr &&
         (w.wide_tiles == nullptr || w.wide_tiles[first_row / tile_rows] == 0);
}

/// finish_row for rows that are plain. It asks nothing on its way, so that the CPU overlaps it with the next products.
template <int rows, int vectors, Store To, bool Bias>
static inline void finish_plain(const StripSums<vectors> (&acc)[rows], const PanelWork& w, std::int64_t first_row,
                                std::int64_t first_column, float* y, std::int64_t stride) {
  // Read before the first store, which for all the compiler knows changes them.
  const float* const row_steps = w.row_steps != nullptr ? w.row_steps + first_row : &w.row_step;
  const std::int64_t next_step = w.row_steps != nullptr ? 1 : 0;
  __m256 column_steps[vectors], bias[vectors];
FIXTUNE_UNROLL
  for (int v = 0; v < vectors; ++v) {
    const std::int64_t column = first_column + v * lanes;
    column_steps[v] =
        w.column_steps != nullptr ? _mm256_loadu_ps(w.column_steps + column) : _mm256_set1_ps(w.column_step);
    if constexpr (Bias) bias[v] = _mm256_loadu_ps(w.bias + column);
  }
FIXTUNE_UNROLL
  for (int r = 0; r < rows; ++r) {
    const __m256 row_step = _mm256_set1_ps(row_steps[r * next_step]);
FIXTUNE_UNROLL
    for (int v = 0; v < vectors; ++v) {
      float* out = y + r * stride + v * lanes;
      __m256 value = _mm256_mul_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(acc[r][v]), row_step), column_steps[v]);
      if constexpr (Bias) value = _mm256_add_ps(value, bias[v]);
      if constexpr (To == Store::Add) value = _mm256_add_ps(_mm256_loadu_ps(out), value);
      if constexpr (To == Store::PastCaches)
        _mm256_stream_ps(out, value);
      else
        _mm256_storeu_ps(out, value);
    }
  }
}

template <int rows, int vectors, Store To>
static inline void finish_plain(const StripSums<vectors> (&acc)[rows], const PanelWork& w, std::int64_t first_row,
                                std::int64_t first_column, float* y, std::int64_t stride) {
  if (w.bias != nullptr)
    finish_plain<rows, vectors, To, true>(acc, w, first_row, first_column, y, stride);
  else
    finish_plain<rows, vectors, To, false>(acc, w, first_row, first_column, y, stride);
}

/// Where the output is transposed it goes to `finished`, `[row][strip]`.
template <int rows, int vectors>
static inline void finish_plain(const StripSums<vectors> (&acc)[rows], const PanelWork& w, std::int64_t first_row,
                                std::int64_t first_column, float* finished) {
  float* const y = w.y + first_row * w.y_stride + first_column;
  if (w.transposed)
    finish_plain<rows, vectors, Store::Over>(acc, w, first_row, first_column, finished, vectors * lanes);
  else if (w.add)
    finish_plain<rows, vectors, Store::Add>(acc, w, first_row, first_column, y, w.y_stride);
  else if (w.stream)
    finish_plain<rows, vectors, Store::PastCaches>(acc, w, first_row, first_column, y, w.y_stride);
  else
    finish_plain<rows, vectors, Store::Over>(acc, w, first_row, first_column, y, w.y_stride);
}

/// Stores `finished`, `[row][strip]`, of at most tile_rows rows, as columns of y.
template <std::int64_t strip>
static inline void store_tile(const float* finished, std::int64_t rows, std::int64_t columns, const PanelWork& w,
                              float* y) {
  if (rows == tile_rows) return store_transposed<tile_rows>(finished, strip, columns, y, w.y_stride, w.add);
  for (std::int64_t r = 0; r < rows; ++r)
    store_transposed<1>(finished + r * strip, strip, columns, y + r, w.y_stride, w.add);
}

}  // namespace fixtune::detail
