#pragma once

#include <cstdint>

/// Transposing of codes, compiled once per instruction set as the kernels are (see packed_kernel.h).
namespace fixtune::detail {

/// Whole tiles of eight columns of codes stored in lines, each four lines of which become one group:
/// `out[i*tile_stride + 32*g + 4*n + t] = codes[(4*g + t)*stride + 8*i + n]`, `sums[8*i + n] += ` column 8*i + n.
struct TransposeWork {
  const std::int8_t* codes = nullptr;
  std::int64_t stride = 0;
  std::int64_t groups = 0, tiles = 0;
  std::int8_t* out = nullptr;
  std::int64_t tile_stride = 0;
  std::int32_t* sums = nullptr;
  bool stream = false;  ///< past the caches, where a tile's groups fill whole lines
};

void transpose_tiles_portable(const TransposeWork& work);
#if defined(__x86_64__)
void transpose_tiles_avx512_vnni(const TransposeWork& work);
#endif

}  // namespace fixtune::detail
