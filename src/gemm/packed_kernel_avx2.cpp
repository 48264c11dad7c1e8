// Compiled for AVX2; see gemm/CMakeLists.txt.
//
// Exact without a dot-product instruction: codes widened to 16 bits multiply in pairs into 32 bits, where nothing can
// saturate. The other exact way, |b| times a with b's sign in 8 bits, puts three instructions on the ports that here
// take two, and was slower.
#include <immintrin.h>

#include "packed_kernel.h"
#include "transposed_store.h"
#include "unroll.h"

namespace fixtune::detail {
namespace {

constexpr int rows_at_once = 6;
/// Rows that follow each other over one strip of the panel, which stays in the first-level cache.
constexpr std::int64_t rows_per_strip = 4 * rows_at_once;
/// Columns that a pass over the panel serves. Each has two sums, of codes 0, 1 and of codes 2, 3 of the groups.
constexpr std::int64_t strip = 8;
constexpr int vectors = 2;

using Sums = __m256i[vectors];

struct Strip {
  std::int64_t first_row, rows;
  std::int64_t first_column, columns;
  bool wide;
};

/// Codes in 16 bits, laid out as in 8: lines of one row, or of one tile, a cache line apart from a power of two.
struct WideRows {
  static constexpr std::int64_t row_line = most_groups * group_codes + 32;
  static constexpr std::int64_t tile_line = tile_rows * most_groups * group_codes + 32;
  static_assert(rows_per_strip % tile_rows == 0);

  alignas(32) std::int16_t codes[rows_per_strip * row_line];
  std::int64_t first_row, row_stride, group_stride;

  const std::int16_t* row(std::int64_t index) const {
    const std::int64_t i = index - first_row;
    return group_stride == group_codes ? codes + i * row_stride
                                       : codes + i / tile_rows * tile_line + i % tile_rows * row_stride;
  }
};

/// Four columns of a group of B in 16 bits, each 128 too large.
inline __m256i load_columns(const std::uint8_t* group, int vector) {
  return _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(group + 16 * vector)));
}

inline __m256i dot(__m256i acc, __m256i b, __m256i a) { return _mm256_add_epi32(acc, _mm256_madd_epi16(b, a)); }

inline __m256i four_codes(std::int32_t codes) {
  return _mm256_broadcastq_epi64(_mm_cvtepi8_epi16(_mm_cvtsi32_si128(codes)));
}

inline std::int32_t times_128(std::uint32_t sum) { return static_cast<std::int32_t>(128U * sum); }

/// One sum a column, in order, from the two sums of each.
inline __m256i joined(const Sums& acc) {
  return _mm256_permute4x64_epi64(_mm256_hadd_epi32(acc[0], acc[1]), 0xd8);
}

inline void split(Sums& acc, __m256i sums) {
  acc[0] = _mm256_cvtepu32_epi64(_mm256_castsi256_si128(sums));
  acc[1] = _mm256_cvtepu32_epi64(_mm256_extracti128_si256(sums, 1));
}

inline bool has_digits(const PanelWork& w, std::int64_t row) {
  return w.digit_starts != nullptr && w.digit_starts[row] != w.digit_starts[row + 1];
}

/// Digits times their columns of B, each 128 too large.
inline __m256i sum_digits(const PanelWork& w, const Strip& s, std::int64_t row) {
  Sums acc = {_mm256_setzero_si256(), _mm256_setzero_si256()};
  for (std::int32_t d = w.digit_starts[row]; d < w.digit_starts[row + 1]; ++d) {
    const std::uint8_t* group = w.panel + w.digits[d].group * panel_group_bytes + s.first_column * group_codes;
    const __m256i a = four_codes(w.digits[d].codes);
FIXTUNE_UNROLL
    for (int v = 0; v < vectors; ++v) acc[v] = dot(acc[v], load_columns(group, v), a);
  }
  return joined(acc);
}

inline __m256i kept_sums(const PanelWork& w, const Strip& s, std::int64_t row) {
  if (s.columns == strip)
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(w.sums + row * w.sums_stride + s.first_column));
  alignas(32) std::int32_t kept[strip] = {};
  for (std::int64_t n = 0; n < s.columns; ++n) kept[n] = w.sums[row * w.sums_stride + s.first_column + n];
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(kept));
}

// What the sums start from: the outlier digits, times their unit, less 128 times what the row sums to.
inline __m256i first_sums(const PanelWork& w, const Strip& s, std::int64_t row) {
  auto offset = static_cast<std::uint32_t>(w.row_sums[row]);
  __m256i sums = _mm256_setzero_si256();
  if (!s.wide && has_digits(w, row)) {
    sums = _mm256_mullo_epi32(sum_digits(w, s, row), _mm256_set1_epi32(w.unit));
    offset += static_cast<std::uint32_t>(w.unit) * static_cast<std::uint32_t>(w.digit_sums[row]);
  }
  return _mm256_sub_epi32(sums, _mm256_set1_epi32(times_128(offset)));
}

// Not inlined: GCC 12 would keep sums that what follows reads in memory during the loop.
template <int R>
[[gnu::noinline]] void contract(Sums (&acc)[R], const PanelWork& w, const Strip& s, const WideRows& rows) {
  Sums sums[R];
  const std::int16_t* row[R];
FIXTUNE_UNROLL
  for (int r = 0; r < R; ++r) {
    row[r] = rows.row(s.first_row + r);
FIXTUNE_UNROLL
    for (int v = 0; v < vectors; ++v) sums[r][v] = acc[r][v];
  }
  const std::uint8_t* group = w.panel + w.begin * panel_group_bytes + s.first_column * group_codes;
  const std::int64_t codes_of_row = (w.end - w.begin) * rows.group_stride;
  for (std::int64_t at = 0; at < codes_of_row; at += rows.group_stride, group += panel_group_bytes) {
    const __m256i b0 = load_columns(group, 0);
    const __m256i b1 = load_columns(group, 1);
FIXTUNE_UNROLL
    for (int r = 0; r < R; ++r) {
      std::int64_t four;
      __builtin_memcpy(&four, row[r] + at, sizeof four);
      const __m256i codes = _mm256_set1_epi64x(four);
      sums[r][0] = dot(sums[r][0], b0, codes);
      sums[r][1] = dot(sums[r][1], b1, codes);
    }
  }
FIXTUNE_UNROLL
  for (int r = 0; r < R; ++r)
FIXTUNE_UNROLL
    for (int v = 0; v < vectors; ++v) acc[r][v] = sums[r][v];
}

inline void finish_whole_row(__m256i acc, const PanelWork& w, const Strip& s, std::int64_t row, float* y) {
  const __m256 row_step = _mm256_set1_ps(w.row_steps != nullptr ? w.row_steps[row] : w.row_step);
  const __m256 column_step = w.column_steps != nullptr ? _mm256_loadu_ps(w.column_steps + s.first_column)
                                                       : _mm256_set1_ps(w.column_step);
  __m256 value = _mm256_mul_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(acc), row_step), column_step);
  if (w.bias != nullptr) value = _mm256_add_ps(value, _mm256_loadu_ps(w.bias + s.first_column));
  if (w.add && !w.transposed) value = _mm256_add_ps(_mm256_loadu_ps(y), value);
  _mm256_storeu_ps(y, value);
}

// Element by element: lanes past the last column must not be touched, and rows that join in 64 bits are rare.
inline void finish_row(__m256i acc, const PanelWork& w, const Strip& s, std::int64_t row, float* y) {
  const bool joins = s.wide && has_digits(w, row);
  if (!joins && s.columns == strip) return finish_whole_row(acc, w, s, row, y);
  alignas(32) std::int32_t sums[strip], digits[strip] = {};
  _mm256_store_si256(reinterpret_cast<__m256i*>(sums), acc);
  if (joins) {
    const __m256i less = _mm256_set1_epi32(times_128(static_cast<std::uint32_t>(w.digit_sums[row])));
    _mm256_store_si256(reinterpret_cast<__m256i*>(digits), _mm256_sub_epi32(sum_digits(w, s, row), less));
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
void run_strip(const PanelWork& w, const Strip& s, const WideRows& rows) {
  Sums acc[R];
FIXTUNE_UNROLL
  for (int r = 0; r < R; ++r)
    split(acc[r], w.first ? first_sums(w, s, s.first_row + r) : kept_sums(w, s, s.first_row + r));
  contract(acc, w, s, rows);
  alignas(32) float finished[R * strip];
FIXTUNE_UNROLL
  for (int r = 0; r < R; ++r) {
    const std::int64_t row = s.first_row + r;
    const __m256i sums = joined(acc[r]);
    if (w.last) {
      finish_row(sums, w, s, row, w.transposed ? finished + r * strip : w.y + row * w.y_stride + s.first_column);
      continue;
    }
    alignas(32) std::int32_t kept[strip];
    _mm256_store_si256(reinterpret_cast<__m256i*>(kept), sums);
    for (std::int64_t n = 0; n < s.columns; ++n) w.sums[row * w.sums_stride + s.first_column + n] = kept[n];
  }
  if (w.last && w.transposed)
    store_transposed<R>(finished, strip, s.columns, w.y + s.first_column * w.y_stride + s.first_row, w.y_stride, w.add);
}

void run_strips(const PanelWork& w, const Strip& s, const WideRows& rows) {
  switch (s.rows) {
    case 1: return run_strip<1>(w, s, rows);
    case 2: return run_strip<2>(w, s, rows);
    case 3: return run_strip<3>(w, s, rows);
    case 4: return run_strip<4>(w, s, rows);
    case 5: return run_strip<5>(w, s, rows);
    default: return run_strip<rows_at_once>(w, s, rows);
  }
}

void widen_line(const std::int8_t* from, std::int64_t count, std::int16_t* to) {
  std::int64_t i = 0;
  for (; i + 16 <= count; i += 16)
    _mm256_store_si256(reinterpret_cast<__m256i*>(to + i),
                       _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i))));
  for (; i < count; ++i) to[i] = from[i];
}

void widen(const PanelWork& w, std::int64_t first, std::int64_t end, WideRows& wide) {
  const std::int64_t groups = w.end - w.begin;
  wide.first_row = first;
  wide.group_stride = w.group_stride;
  if (w.group_stride == group_codes) {
    wide.row_stride = WideRows::row_line;
    for (std::int64_t row = first; row < end; ++row)
      widen_line(w.rows + row / tile_rows * w.tile_stride + row % tile_rows * w.row_stride + w.begin * w.group_stride,
                 groups * group_codes, wide.codes + (row - first) * WideRows::row_line);
    return;
  }
  wide.row_stride = w.row_stride;
  for (std::int64_t row = first; row < end; row += tile_rows)
    widen_line(w.rows + row / tile_rows * w.tile_stride + w.begin * w.group_stride, groups * w.group_stride,
               wide.codes + (row - first) / tile_rows * WideRows::tile_line);
}

/// Rows [first, first + rows_at_once) as far as they exist.
Strip strip_of_rows(const PanelWork& w, std::int64_t first) {
  const std::int64_t left = w.row_count - first;
  Strip s{first, left < rows_at_once ? left : rows_at_once, 0, 0, false};
  if (w.wide_tiles != nullptr)
    s.wide = w.wide_tiles[first / tile_rows] != 0 || w.wide_tiles[(first + s.rows - 1) / tile_rows] != 0;
  return s;
}

}  // namespace

void panel_kernel_avx2(const PanelWork& w) {
  WideRows wide;
  for (std::int64_t first = 0; first < w.row_count; first += rows_per_strip) {
    const std::int64_t end = first + rows_per_strip < w.row_count ? first + rows_per_strip : w.row_count;
    widen(w, first, end, wide);
    for (std::int64_t column = 0; column < w.columns; column += strip)
      for (std::int64_t row = first; row < end; row += rows_at_once) {
        Strip s = strip_of_rows(w, row);
        s.first_column = column;
        s.columns = w.columns - column < strip ? w.columns - column : strip;
        run_strips(w, s, wide);
      }
  }
}

}  // namespace fixtune::detail
