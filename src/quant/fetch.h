#pragma once

#include <cstdint>

#include "fixtune/core/multiversion.h"

/// Asking memory for rows that are read soon, so that it works on while the rows before them are quantised.
namespace fixtune::row_kernels {

/// Values that are read together, before more are asked for: beyond some lines a CPU has on their way, others wait.
inline constexpr std::int32_t stretch = 512;

/// How many rows ahead: one, and of short rows as many as memory needs time to answer.
inline std::int64_t rows_ahead(std::int64_t cols) {
  constexpr std::int64_t elements = 2048;
  return 1 + elements / (cols > 0 ? cols : 1);
}

FIXTUNE_ALWAYS_INLINE void fetch(const float* from, std::int64_t count) {
  constexpr std::int64_t line = 64 / sizeof(float);
  for (std::int64_t n = 0; n < count; n += line) __builtin_prefetch(from + n, /*write=*/0, /*second level=*/2);
}

}  // namespace fixtune::row_kernels
