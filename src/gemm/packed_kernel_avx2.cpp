// Compiled for AVX2; see gemm/CMakeLists.txt.
//
// Exact without a dot-product instruction: bytes of B times codes of A, in twos, two groups of four added in 16 bits, which
// bounded_rows_avx2.h has made safe; then widened. For eight codes of eight columns that is six instructions, three of
// them products. Codes widened to 16 bits before they multiply took eight and four.
#include <immintrin.h>

#include "bounded_rows_avx2.h"
#include "packed_kernel.h"
#include "strips_avx2.h"
#include "unroll.h"

namespace fixtune::detail {
namespace {

constexpr int rows_at_once = bounded_tile_rows;
/// Columns that a pass over the panel serves, eight to a register.
constexpr int vectors = 2;
constexpr std::int64_t strip = vectors * lanes;

using Sums = StripSums<vectors>;

inline __m256i broadcast(const std::uint8_t* four) {
  std::int32_t codes;
  __builtin_memcpy(&codes, four, sizeof codes);
  return _mm256_set1_epi32(codes);
}

/// Sums of products in twos, from 16 bits to 32.
inline __m256i widened(__m256i twos) { return _mm256_madd_epi16(twos, _mm256_set1_epi16(1)); }

/// Sums of eight columns each, of a whole panel.
constexpr int panel_vectors = panel_columns / lanes;
using PanelSums = __m256i[panel_vectors];

/// Adds sparse codes, one to an entry, times `count` times eight columns of B, which are 128 too large.
template <int count>
inline void add_sparse(__m256i (&sums)[count], const DigitGroup* begin, const DigitGroup* end, const std::uint8_t* b) {
  for (const DigitGroup* d = begin; d != end; ++d) {
    const __m256i codes = _mm256_set1_epi32(d->codes);
    const std::uint8_t* group = b + d->group * panel_group_bytes;
FIXTUNE_UNROLL
    for (int v = 0; v < count; ++v) {
      const __m256i products = _mm256_maddubs_epi16(load_columns(group + v * lanes * group_codes), codes);
      sums[v] = _mm256_add_epi32(sums[v], widened(products));
    }
  }
}

template <int count>
inline void add_digits(__m256i (&sums)[count], const PanelWork& w, std::int64_t row, std::int64_t first_column) {
  add_sparse(sums, w.digits + w.digit_starts[row], w.digits + w.digit_starts[row + 1],
             w.panel + first_column * group_codes);
}

// What a row's sums start from: the outlier digits, times their unit, or those of the groups before; and the codes that
// were taken out of the row. Each less what it counts too much for B's 128. Of the whole panel at once, because entries
// are few and their number is hard to foresee.
inline void start_row(const PanelWork& w, const BoundedRows& rows, std::int64_t row) {
  PanelSums sums = {};
  std::uint32_t offset = 0;
  if (!w.first) {
FIXTUNE_UNROLL
    for (int v = 0; v < panel_vectors; ++v) sums[v] = kept_sums(w, lanes_from(w, v * lanes), row);
  } else if (has_digits(w, row) && !joins_wide(w, row)) {
    add_digits(sums, w, row, 0);
FIXTUNE_UNROLL
    for (int v = 0; v < panel_vectors; ++v) sums[v] = _mm256_mullo_epi32(sums[v], _mm256_set1_epi32(w.unit));
    offset = static_cast<std::uint32_t>(w.unit) * static_cast<std::uint32_t>(w.digit_sums[row]);
  }
  const DigitGroup* excess = rows.excess + row * rows.most_excess;
  add_sparse(sums, excess, excess + rows.excess_count[row], w.panel + w.begin * panel_group_bytes);
  offset += static_cast<std::uint32_t>(rows.excess_sum[row]);
  auto* starts = reinterpret_cast<__m256i*>(rows.starts + row * panel_columns);
FIXTUNE_UNROLL
  for (int v = 0; v < panel_vectors; ++v)
    _mm256_store_si256(starts + v, _mm256_sub_epi32(sums[v], _mm256_set1_epi32(times_128(offset))));
}

/// Two groups: `second` bytes lie between them in B.
inline void multiply_pair(Sums (&acc)[rows_at_once], const std::uint8_t* b, std::int64_t second, const std::uint8_t* a) {
  __m256i b0[vectors], b1[vectors];
FIXTUNE_UNROLL
  for (int v = 0; v < vectors; ++v) {
    b0[v] = load_columns(b + v * lanes * group_codes);
    b1[v] = load_columns(b + v * lanes * group_codes + second);
  }
FIXTUNE_UNROLL
  for (int r = 0; r < rows_at_once; ++r) {
    const __m256i a0 = broadcast(a + r * 2 * group_codes);
    const __m256i a1 = broadcast(a + r * 2 * group_codes + group_codes);
    const __m256i offset = broadcast(a + rows_at_once * 2 * group_codes + r * 4);
FIXTUNE_UNROLL
    for (int v = 0; v < vectors; ++v) {
      const __m256i twos = _mm256_add_epi16(_mm256_maddubs_epi16(b0[v], a0), _mm256_maddubs_epi16(b1[v], a1));
      acc[r][v] = _mm256_add_epi32(acc[r][v], widened(_mm256_sub_epi16(twos, offset)));
      // GCC 12 would else keep sums in memory to have more rows under way than there are registers for.
      asm("" : "+x"(acc[r][v]));
    }
  }
}

// Not inlined: GCC 12 would keep sums that what follows reads in memory during the loop.
[[gnu::noinline]] void contract(Sums (&acc)[rows_at_once], const std::uint8_t* b, const std::uint8_t* a,
                                std::int64_t groups) {
  Sums sums[rows_at_once];
FIXTUNE_UNROLL
  for (int r = 0; r < rows_at_once; ++r)
FIXTUNE_UNROLL
    for (int v = 0; v < vectors; ++v) sums[r][v] = acc[r][v];
  for (; groups >= 2; groups -= 2, b += 2 * panel_group_bytes, a += bounded_pair_bytes)
    multiply_pair(sums, b, panel_group_bytes, a);
  // The missing group's codes are 0.
  if (groups == 1) multiply_pair(sums, b, 0, a);
FIXTUNE_UNROLL
  for (int r = 0; r < rows_at_once; ++r)
FIXTUNE_UNROLL
    for (int v = 0; v < vectors; ++v) acc[r][v] = sums[r][v];
}

/// A strip of the panel times rows [first_row, first_row + count), at most four. Where the output is transposed it goes
/// to `finished`, `[row][strip]`.
void run_rows(const PanelWork& w, const BoundedRows& rows, std::int64_t first_row, std::int64_t count,
              std::int64_t first_column, float* finished) {
  Sums acc[rows_at_once];
FIXTUNE_UNROLL
  for (int r = 0; r < rows_at_once; ++r) {
    // Past the last row, any row's do: nothing reads their sums.
    const std::int64_t row = first_row + (r < count ? r : 0);
    const auto* starts = reinterpret_cast<const __m256i*>(rows.starts + row * panel_columns + first_column);
FIXTUNE_UNROLL
    for (int v = 0; v < vectors; ++v) acc[r][v] = _mm256_load_si256(starts + v);
  }
  contract(acc, w.panel + w.begin * panel_group_bytes + first_column * group_codes, rows.tile(first_row), rows.groups);
  if (count == rows_at_once && is_plain<vectors>(w, first_row, first_column))
    return finish_plain<rows_at_once, vectors>(acc, w, first_row, first_column, finished);
  for (int r = 0; r < count; ++r)
    finish_row<vectors>(acc[r], w, first_row + r, first_column, finished + r * strip,
                        [&](Sums& sums) { add_digits(sums, w, first_row + r, first_column); });
}

}  // namespace

std::int64_t prepared_bytes_avx2(std::int64_t rows, std::int64_t groups) {
  return bounded_rows_bytes(rows, groups).total();
}

const void* prepare_rows_avx2(const PanelWork& w, void* room) { return bound_rows(w, room); }

void panel_kernel_avx2(const PanelWork& w) {
  const BoundedRows& rows = *static_cast<const BoundedRows*>(w.prepared);
  for (std::int64_t row = 0; row < w.row_count; ++row) start_row(w, rows, row);
  alignas(32) float finished[tile_rows * strip];
  for (std::int64_t column = 0; column < w.columns; column += strip)
    for (std::int64_t first = 0; first < w.row_count; first += tile_rows) {
      const std::int64_t count = w.row_count - first < tile_rows ? w.row_count - first : tile_rows;
      for (std::int64_t r = 0; r < count; r += rows_at_once)
        run_rows(w, rows, first + r, count - r < rows_at_once ? count - r : rows_at_once, column, finished + r * strip);
      if (w.last && w.transposed)
        store_tile<strip>(finished, count, w.columns - column < strip ? w.columns - column : strip, w,
                   w.y + column * w.y_stride + first);
    }
}

}  // namespace fixtune::detail
