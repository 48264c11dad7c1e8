// Compiled for AVX2 with AVX-VNNI, which has AVX512-VNNI's dot product in 256 bits; see gemm/CMakeLists.txt.
#include <immintrin.h>

#include "packed_kernel.h"
#include "strips_avx2.h"
#include "unroll.h"

namespace fixtune::detail {
namespace {

/// Twelve sums are enough to hide the instruction's latency, and leave registers for a strip's codes and a row's.
constexpr int rows_at_once = 4;
constexpr int vectors = 3;
constexpr std::int64_t strip = vectors * lanes;
static_assert(tile_rows % rows_at_once == 0 && panel_columns % strip == 0);

using Sums = StripSums<vectors>;

inline __m256i broadcast(const std::int8_t* codes) {
  std::int32_t four;
  __builtin_memcpy(&four, codes, sizeof four);
  return _mm256_set1_epi32(four);
}

/// Digits times their columns of B, each byte of which is 128 too large.
inline void add_digits(Sums& sums, const PanelWork& w, std::int64_t row, std::int64_t first_column) {
  for (std::int32_t d = w.digit_starts[row]; d < w.digit_starts[row + 1]; ++d) {
    const __m256i codes = _mm256_set1_epi32(w.digits[d].codes);
    const std::uint8_t* group = w.panel + w.digits[d].group * panel_group_bytes + first_column * group_codes;
FIXTUNE_UNROLL
    for (int v = 0; v < vectors; ++v)
      sums[v] = _mm256_dpbusd_avx_epi32(sums[v], load_columns(group + v * lanes * group_codes), codes);
  }
}

// What a row's sums start from: those of the groups before, or the outlier digits, times their unit, less 128 times what
// the row sums to.
inline void start_row(Sums& sums, const PanelWork& w, std::int64_t row, std::int64_t first_column) {
  if (!w.first) {
FIXTUNE_UNROLL
    for (int v = 0; v < vectors; ++v) sums[v] = kept_sums(w, lanes_from(w, first_column + v * lanes), row);
    return;
  }
  auto offset = static_cast<std::uint32_t>(w.row_sums[row]);
FIXTUNE_UNROLL
  for (int v = 0; v < vectors; ++v) sums[v] = _mm256_setzero_si256();
  if (has_digits(w, row) && !joins_wide(w, row)) {
    add_digits(sums, w, row, first_column);
FIXTUNE_UNROLL
    for (int v = 0; v < vectors; ++v) sums[v] = _mm256_mullo_epi32(sums[v], _mm256_set1_epi32(w.unit));
    offset += static_cast<std::uint32_t>(w.unit) * static_cast<std::uint32_t>(w.digit_sums[row]);
  }
  // Wraps on the way; the finished sum fits.
  const __m256i less = _mm256_set1_epi32(times_128(offset));
FIXTUNE_UNROLL
  for (int v = 0; v < vectors; ++v) sums[v] = _mm256_sub_epi32(sums[v], less);
}

// Not inlined: GCC 12 would else keep sums in memory during the loop.
template <int R>
[[gnu::noinline]] void contract(Sums (&sums)[R], const std::uint8_t* group, const std::int8_t* rows,
                                std::int64_t row_stride, std::int64_t group_stride, std::int64_t groups) {
  Sums acc[R];
FIXTUNE_UNROLL
  for (int r = 0; r < R; ++r)
FIXTUNE_UNROLL
    for (int v = 0; v < vectors; ++v) acc[r][v] = sums[r][v];
  const std::int8_t* row[R];
FIXTUNE_UNROLL
  for (int r = 0; r < R; ++r) row[r] = rows + r * row_stride;
  for (std::int64_t at = 0; at < groups * group_stride; at += group_stride, group += panel_group_bytes) {
    const __m256i b0 = load_columns(group);
    const __m256i b1 = load_columns(group + lanes * group_codes);
    const __m256i b2 = load_columns(group + 2 * lanes * group_codes);
FIXTUNE_UNROLL
    for (int r = 0; r < R; ++r) {
      const __m256i a = broadcast(row[r] + at);
      acc[r][0] = _mm256_dpbusd_avx_epi32(acc[r][0], b0, a);
      acc[r][1] = _mm256_dpbusd_avx_epi32(acc[r][1], b1, a);
      acc[r][2] = _mm256_dpbusd_avx_epi32(acc[r][2], b2, a);
    }
  }
FIXTUNE_UNROLL
  for (int r = 0; r < R; ++r)
FIXTUNE_UNROLL
    for (int v = 0; v < vectors; ++v) sums[r][v] = acc[r][v];
}

/// A strip of the panel times R rows from `first_row`. Where the output is transposed it goes to `finished`,
/// `[row][strip]`.
template <int R>
void run_rows(const PanelWork& w, std::int64_t first_row, std::int64_t first_column, float* finished) {
  Sums sums[R];
FIXTUNE_UNROLL
  for (int r = 0; r < R; ++r) start_row(sums[r], w, first_row + r, first_column);
  const std::int8_t* rows = w.rows + first_row / tile_rows * w.tile_stride + first_row % tile_rows * w.row_stride;
  contract(sums, w.panel + w.begin * panel_group_bytes + first_column * group_codes, rows + w.begin * w.group_stride,
           w.row_stride, w.group_stride, w.end - w.begin);
  if (R == rows_at_once && is_plain<vectors>(w, first_row, first_column))
    return finish_plain<R, vectors>(sums, w, first_row, first_column, finished);
FIXTUNE_UNROLL
  for (int r = 0; r < R; ++r) {
    const std::int64_t row = first_row + r;
    finish_row<vectors>(sums[r], w, row, first_column, finished + r * strip,
                        [&](Sums& digits) { add_digits(digits, w, row, first_column); });
  }
}

}  // namespace

void panel_kernel_avx_vnni(const PanelWork& w) {
  alignas(32) float finished[tile_rows * strip];
  for (std::int64_t column = 0; column < w.columns; column += strip)
    for (std::int64_t first = 0; first < w.row_count; first += tile_rows) {
      const std::int64_t count = w.row_count - first < tile_rows ? w.row_count - first : tile_rows;
      std::int64_t r = 0;
      for (; r + rows_at_once <= count; r += rows_at_once)
        run_rows<rows_at_once>(w, first + r, column, finished + r * strip);
      for (; r < count; ++r) run_rows<1>(w, first + r, column, finished + r * strip);
      if (w.last && w.transposed)
        store_tile<strip>(finished, count, w.columns - column < strip ? w.columns - column : strip, w,
                          w.y + column * w.y_stride + first);
    }
}

}  // namespace fixtune::detail
