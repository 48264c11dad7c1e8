// Compiled for AVX-512 with VNNI; see gemm/CMakeLists.txt.
#include <immintrin.h>

#include "transpose_tiles.h"
#include "unroll.h"

namespace fixtune::detail {
namespace {

constexpr std::int64_t wide_tiles = 8;    // of one cache line
constexpr std::int64_t group_bytes = 32;  // of one tile

/// Four lines' 64 codes each, as groups: [q] has in 128-bit lane i the columns 16*i + 4*q on.
struct Groups {
  __m512i of[4];
};

inline Groups load_groups(const std::int8_t* codes, std::int64_t stride) {
  const __m512i a = _mm512_loadu_si512(codes), b = _mm512_loadu_si512(codes + stride);
  const __m512i c = _mm512_loadu_si512(codes + 2 * stride), d = _mm512_loadu_si512(codes + 3 * stride);
  const __m512i ab_low = _mm512_unpacklo_epi8(a, b), ab_high = _mm512_unpackhi_epi8(a, b);
  const __m512i cd_low = _mm512_unpacklo_epi8(c, d), cd_high = _mm512_unpackhi_epi8(c, d);
  return {{_mm512_unpacklo_epi16(ab_low, cd_low), _mm512_unpackhi_epi16(ab_low, cd_low),
           _mm512_unpacklo_epi16(ab_high, cd_high), _mm512_unpackhi_epi16(ab_high, cd_high)}};
}

/// Of 128-bit lanes: x[first], y[first], x[first + 1], y[first + 1].
inline __m512i pair_lanes(__m512i x, __m512i y, int first) {
  const __m512i low = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
  const __m512i high = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
  return _mm512_permutex2var_epi64(x, first == 0 ? low : high, y);
}

inline __m512i low_halves(__m512i x, __m512i y) {
  return _mm512_permutex2var_epi64(x, _mm512_setr_epi64(0, 1, 2, 3, 8, 9, 10, 11), y);
}
inline __m512i high_halves(__m512i x, __m512i y) {
  return _mm512_permutex2var_epi64(x, _mm512_setr_epi64(4, 5, 6, 7, 12, 13, 14, 15), y);
}

struct Sums {
  __m512i of[4];

  void add(const Groups& groups) {
    const __m512i ones = _mm512_set1_epi8(1);
FIXTUNE_UNROLL
    for (int q = 0; q < 4; ++q) of[q] = _mm512_dpbusd_epi32(of[q], ones, groups.of[q]);
  }

  void add_to(std::int32_t* sums) const {
FIXTUNE_UNROLL
    for (int half = 0; half < 2; ++half) {
      const __m512i left = pair_lanes(of[0], of[1], 2 * half), right = pair_lanes(of[2], of[3], 2 * half);
      add_sixteen(sums + 32 * half, low_halves(left, right));
      add_sixteen(sums + 32 * half + 16, high_halves(left, right));
    }
  }

 private:
  static void add_sixteen(std::int32_t* sums, __m512i more) {
    _mm512_storeu_si512(sums, _mm512_add_epi32(_mm512_loadu_si512(sums), more));
  }
};

/// One group of eight tiles.
inline void store_one(const Groups& groups, std::int8_t* out, std::int64_t tile_stride) {
  const auto store = [&](std::int64_t tile, __m256i value) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + tile * tile_stride), value);
  };
FIXTUNE_UNROLL
  for (int side = 0; side < 2; ++side)
FIXTUNE_UNROLL
    for (int half = 0; half < 2; ++half) {
      const __m512i tiles = pair_lanes(groups.of[2 * side], groups.of[2 * side + 1], 2 * half);
      store(4 * half + side, _mm512_castsi512_si256(tiles));
      store(4 * half + side + 2, _mm512_extracti64x4_epi64(tiles, 1));
    }
}

/// Two groups of eight tiles: whole cache lines.
template <bool PastCaches>
inline void store_two(const Groups& first, const Groups& second, std::int8_t* out, std::int64_t tile_stride) {
  const auto store = [](std::int8_t* to, __m512i line) __attribute__((always_inline)) {
    if constexpr (PastCaches)
      _mm512_stream_si512(reinterpret_cast<__m512i*>(to), line);
    else
      _mm512_storeu_si512(to, line);
  };
FIXTUNE_UNROLL
  for (int side = 0; side < 2; ++side)
FIXTUNE_UNROLL
    for (int half = 0; half < 2; ++half) {
      const __m512i a = pair_lanes(first.of[2 * side], first.of[2 * side + 1], 2 * half);
      const __m512i b = pair_lanes(second.of[2 * side], second.of[2 * side + 1], 2 * half);
      std::int8_t* to = out + (4 * half + side) * tile_stride;
      store(to, low_halves(a, b));
      store(to + 2 * tile_stride, high_halves(a, b));
    }
}

/// The lines of codes that the next eight tiles are made of: as many places of memory as there are lines, which no CPU
/// foresees.
inline void fetch_next(const std::int8_t* codes, std::int64_t stride) {
FIXTUNE_UNROLL
  for (int line = 0; line < 8; ++line)
    __builtin_prefetch(codes + 64 + line * stride, /*write=*/0, /*first level=*/3);
}

template <bool PastCaches>
void transpose_eight_tiles(const TransposeWork& w, std::int64_t first) {
  const std::int8_t* codes = w.codes + first * 8;
  std::int8_t* out = w.out + first * w.tile_stride;
  Sums sums{{_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512()}};
  std::int64_t g = 0;
  for (; g + 2 <= w.groups; g += 2, codes += 8 * w.stride, out += 2 * group_bytes) {
    fetch_next(codes, w.stride);
    const Groups one = load_groups(codes, w.stride), two = load_groups(codes + 4 * w.stride, w.stride);
    sums.add(one);
    sums.add(two);
    store_two<PastCaches>(one, two, out, w.tile_stride);
  }
  if (g < w.groups) {
    const Groups one = load_groups(codes, w.stride);
    sums.add(one);
    store_one(one, out, w.tile_stride);
  }
  sums.add_to(w.sums + first * 8);
}

}  // namespace

void transpose_tiles_avx512_vnni(const TransposeWork& w) {
  std::int64_t tile = 0;
  for (; tile + wide_tiles <= w.tiles; tile += wide_tiles)
    w.stream ? transpose_eight_tiles<true>(w, tile) : transpose_eight_tiles<false>(w, tile);
  TransposeWork rest = w;
  rest.codes += tile * 8;
  rest.tiles -= tile;
  rest.out += tile * w.tile_stride;
  rest.sums += tile * 8;
  transpose_tiles_portable(rest);
}

}  // namespace fixtune::detail
