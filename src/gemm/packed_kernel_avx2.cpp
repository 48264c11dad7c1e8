// Compiled for AVX2; see gemm/CMakeLists.txt.
//
// Exact without a dot-product instruction: with |b| as the unsigned operand and a carrying b's sign, a pair of products
// is at most 2*127*127 = 32258, which the 16-bit pair sum holds.
#include <immintrin.h>

#include "packed_kernel.h"
#include "transposed_store.h"
#include "unroll.h"

namespace fixtune::detail {
namespace {

constexpr int rows_at_once = 4;
constexpr int vectors = 2;
constexpr std::int64_t strip = 8 * vectors;  // columns that a pass over the panel serves

using Sums = __m256i[vectors];

struct Strip {
  std::int64_t first_row, rows;
  std::int64_t first_column, columns;
  bool wide;
};

inline __m256i load_codes(const std::uint8_t* group, int vector) {
  const __m256i stored = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(group + 32 * vector));
  return _mm256_xor_si256(stored, _mm256_set1_epi8(static_cast<char>(0x80)));
}

inline __m256i dot(__m256i acc, __m256i magnitude, __m256i sign, __m256i a) {
  const __m256i pairs = _mm256_maddubs_epi16(magnitude, _mm256_sign_epi8(a, sign));
  return _mm256_add_epi32(acc, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

inline std::int32_t four_codes(const std::int8_t* codes) {
  std::int32_t four;
  __builtin_memcpy(&four, codes, sizeof four);
  return four;
}

inline void sum_digits(Sums& acc, const PanelWork& w, const Strip& s, std::int64_t row) {
FIXTUNE_UNROLL
  for (int v = 0; v < vectors; ++v) acc[v] = _mm256_setzero_si256();
  for (std::int32_t d = w.digit_starts[row]; d < w.digit_starts[row + 1]; ++d) {
    const std::uint8_t* group = w.panel + w.digits[d].group * panel_group_bytes + s.first_column * group_codes;
    const __m256i a = _mm256_set1_epi32(w.digits[d].codes);
FIXTUNE_UNROLL
    for (int v = 0; v < vectors; ++v) {
      const __m256i b = load_codes(group, v);
      acc[v] = dot(acc[v], _mm256_abs_epi8(b), b, a);
    }
  }
}

inline bool has_digits(const PanelWork& w, std::int64_t row) {
  return w.digit_starts != nullptr && w.digit_starts[row] != w.digit_starts[row + 1];
}

template <int R>
inline void start(Sums (&acc)[R], const PanelWork& w, const Strip& s) {
FIXTUNE_UNROLL
  for (int r = 0; r < R; ++r) {
    const std::int64_t row = s.first_row + r;
    if (!w.first) {
      alignas(32) std::int32_t kept[strip] = {};
      for (std::int64_t n = 0; n < s.columns; ++n) kept[n] = w.sums[row * w.sums_stride + s.first_column + n];
FIXTUNE_UNROLL
      for (int v = 0; v < vectors; ++v) acc[r][v] = _mm256_load_si256(reinterpret_cast<const __m256i*>(kept + 8 * v));
      continue;
    }
    if (s.wide || !has_digits(w, row)) {
FIXTUNE_UNROLL
      for (int v = 0; v < vectors; ++v) acc[r][v] = _mm256_setzero_si256();
      continue;
    }
    sum_digits(acc[r], w, s, row);
FIXTUNE_UNROLL
    for (int v = 0; v < vectors; ++v) acc[r][v] = _mm256_mullo_epi32(acc[r][v], _mm256_set1_epi32(w.unit));
  }
}

template <int R>
inline void contract(Sums (&acc)[R], const PanelWork& w, const Strip& s) {
  const std::int64_t tile = s.first_row / tile_rows;
  const std::int8_t* row[R];
FIXTUNE_UNROLL
  for (int r = 0; r < R; ++r)
    row[r] = w.rows + tile * w.tile_stride + (s.first_row % tile_rows + r) * w.row_stride + w.begin * w.group_stride;
  const std::uint8_t* group = w.panel + w.begin * panel_group_bytes + s.first_column * group_codes;
  const std::int64_t bytes = (w.end - w.begin) * w.group_stride;
  for (std::int64_t at = 0; at < bytes; at += w.group_stride, group += panel_group_bytes) {
    const __m256i b0 = load_codes(group, 0);
    const __m256i b1 = load_codes(group, 1);
    const __m256i magnitude0 = _mm256_abs_epi8(b0);
    const __m256i magnitude1 = _mm256_abs_epi8(b1);
FIXTUNE_UNROLL
    for (int r = 0; r < R; ++r) {
      const __m256i a = _mm256_set1_epi32(four_codes(row[r] + at));
      acc[r][0] = dot(acc[r][0], magnitude0, b0, a);
      acc[r][1] = dot(acc[r][1], magnitude1, b1, a);
    }
  }
}

// Element by element: it runs once for every contraction, and the lanes past the last column must not be touched.
inline void finish_row(const Sums& acc, const PanelWork& w, const Strip& s, std::int64_t row, float* y) {
  alignas(32) std::int32_t sums[strip], digits[strip];
  Sums outliers;
  const bool joins = s.wide && has_digits(w, row);
  if (joins) sum_digits(outliers, w, s, row);
FIXTUNE_UNROLL
  for (int v = 0; v < vectors; ++v) {
    _mm256_store_si256(reinterpret_cast<__m256i*>(sums + 8 * v), acc[v]);
    if (joins) _mm256_store_si256(reinterpret_cast<__m256i*>(digits + 8 * v), outliers[v]);
  }
  const float row_step = w.row_steps != nullptr ? w.row_steps[row] : w.row_step;
  for (std::int64_t n = 0; n < s.columns; ++n) {
    const std::int64_t column = s.first_column + n;
    const float sum = joins ? static_cast<float>(static_cast<double>(sums[n]) + static_cast<double>(w.unit) * digits[n])
                            : static_cast<float>(sums[n]);
    float value = (sum * row_step) * (w.column_steps != nullptr ? w.column_steps[column] : w.column_step);
    if (w.bias != nullptr) value += w.bias[column];
    y[n] = w.add && !w.transposed ? y[n] + value : value;
  }
}

template <int R>
void run_strip(const PanelWork& w, const Strip& s) {
  Sums acc[R];
  start(acc, w, s);
  contract(acc, w, s);
  if (!w.last) {
FIXTUNE_UNROLL
    for (int r = 0; r < R; ++r) {
      alignas(32) std::int32_t kept[strip];
FIXTUNE_UNROLL
      for (int v = 0; v < vectors; ++v) _mm256_store_si256(reinterpret_cast<__m256i*>(kept + 8 * v), acc[r][v]);
      for (std::int64_t n = 0; n < s.columns; ++n)
        w.sums[(s.first_row + r) * w.sums_stride + s.first_column + n] = kept[n];
    }
    return;
  }
  alignas(32) float rows[R * strip];
FIXTUNE_UNROLL
  for (int r = 0; r < R; ++r) {
    const std::int64_t row = s.first_row + r;
    finish_row(acc[r], w, s, row, w.transposed ? rows + r * strip : w.y + row * w.y_stride + s.first_column);
  }
  if (w.transposed)
    store_transposed(rows, strip, R, s.columns, w.y + s.first_column * w.y_stride + s.first_row, w.y_stride, w.add);
}

void run_rows(const PanelWork& w, const Strip& s) {
  switch (s.rows) {
    case 1: return run_strip<1>(w, s);
    case 2: return run_strip<2>(w, s);
    case 3: return run_strip<3>(w, s);
    default: return run_strip<rows_at_once>(w, s);
  }
}

}  // namespace

void panel_kernel_avx2(const PanelWork& w) {
  for (std::int64_t row = 0; row < w.row_count; row += rows_at_once) {
    const bool wide = w.wide_tiles != nullptr && w.wide_tiles[row / tile_rows] != 0;
    const std::int64_t rows = w.row_count - row < rows_at_once ? w.row_count - row : rows_at_once;
    for (std::int64_t column = 0; column < w.columns; column += strip) {
      const std::int64_t columns = w.columns - column < strip ? w.columns - column : strip;
      run_rows(w, {row, rows, column, columns, wide});
    }
  }
}

}  // namespace fixtune::detail
