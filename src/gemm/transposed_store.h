#pragma once

#include <cstdint>

// For kernel files only: static, so that each instruction set keeps its own copy.

namespace fixtune::detail {

/// y[n*stride + r] = (y + where `add`) tile[r*width + n] for Rows rows and `columns` columns.
template <int Rows>
static inline void store_transposed(const float* tile, std::int64_t width, std::int64_t columns, float* y,
                                    std::int64_t stride, bool add) {
  for (std::int64_t n = 0; n < columns; ++n) {
    float line[Rows];
    for (int r = 0; r < Rows; ++r) line[r] = tile[r * width + n];
    float* out = y + n * stride;
    if (add)
      for (int r = 0; r < Rows; ++r) line[r] += out[r];
    __builtin_memcpy(out, line, sizeof line);
  }
}

}  // namespace fixtune::detail
