#pragma once

#include <gtest/gtest.h>

#include <vector>

#include "fixtune/core/random.h"
#include "fixtune/gemm/integer_product.h"

namespace fixtune {

/// An INT8 matrix with room after each row, filled with a value that would show if it were read.
struct Int8Matrix {
  Index rows, cols, stride;
  std::vector<std::int8_t> data;

  Int8Matrix(Index row_count, Index col_count, Index padding)
      : rows(row_count),
        cols(col_count),
        stride(col_count + padding),
        data(static_cast<std::size_t>(row_count * (col_count + padding)), 99) {}
  std::int8_t& at(Index r, Index c) { return data[static_cast<std::size_t>(r * stride + c)]; }
  Int8View view() const { return {data.data(), rows, cols, stride}; }
};

/// Codes over all of [-127, 127].
inline Int8Matrix random_codes(Index rows, Index cols, Index padding, std::uint64_t seed) {
  Int8Matrix m(rows, cols, padding);
  const RandomStream random({seed, 0, 0}, 1);
  for (Index r = 0; r < rows; ++r)
    for (Index c = 0; c < cols; ++c)
      m.at(r, c) = static_cast<std::int8_t>(
          static_cast<int>(random.bits(static_cast<std::uint64_t>(r * cols + c)) % 255U) - 127);
  return m;
}

inline Int8Matrix constant_codes(Index rows, Index cols, std::int8_t value) {
  Int8Matrix m(rows, cols, 0);
  m.data.assign(m.data.size(), value);
  return m;
}

}  // namespace fixtune
