#pragma once

#include <cstdint>

// For kernel files only: static, so that each instruction set keeps its own copy.

namespace fixtune::detail {

/// y[n*stride + r] = (y + where `add`) tile[r*width + n] for `rows` <= 8 rows and `columns` columns.
[[maybe_unused]] static void store_transposed(const float* tile, std::int64_t width, std::int64_t rows,
                                              std::int64_t columns, float* y, std::int64_t stride, bool add) {
  for (std::int64_t n = 0; n < columns; ++n) {
    float* out = y + n * stride;
    const float* column = tile + n;
    if (rows == 8 && !add) {
      const float eight[8] = {column[0],         column[width],     column[2 * width], column[3 * width],
                              column[4 * width], column[5 * width], column[6 * width], column[7 * width]};
      __builtin_memcpy(out, eight, sizeof eight);
      continue;
    }
    for (std::int64_t r = 0; r < rows; ++r) out[r] = add ? out[r] + column[r * width] : column[r * width];
  }
}

}  // namespace fixtune::detail
