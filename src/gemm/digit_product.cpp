#include <algorithm>

#include "fixtune/core/parallel.h"
#include "fixtune/gemm/integer_product.h"

namespace fixtune {
namespace {

constexpr int base = 64;
constexpr int largest_code = 2047;
constexpr Index rows_per_tile = 256;  // bounds the int32 sums of a tile to 512 rows
constexpr Index rows_per_task = 16;

/// Rows of high digits, then as many of low digits: q = 64*high + low, low in [-32, 31], |high| <= 32.
AlignedBuffer<std::int8_t> split_digits(const std::int16_t* codes, Index rows, Index k) {
  const Index count = rows * k;
  AlignedBuffer<std::int8_t> digits(2 * count);
  parallel_for(count, Index{1} << 14, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const int q = codes[i];
      if (q < -largest_code || q > largest_code) fail("code {} does not fit 12 bits", q);
      const int low = ((q + base / 2) & (base - 1)) - base / 2;
      digits[i] = static_cast<std::int8_t>((q - low) / base);
      digits[count + i] = static_cast<std::int8_t>(low);
    }
  });
  return digits;
}

/// `sums` holds [high; low] of A times [high; low] of B, `[2 m, 2 n]`.
void join(const AlignedBuffer<std::int32_t>& sums, Index m, Index n, std::int64_t* c) {
  parallel_for(m, rows_per_task, [&](Index begin, Index end) {
    for (Index row = begin; row < end; ++row) {
      const std::int32_t* high = sums.data() + row * 2 * n;
      const std::int32_t* low = high + m * 2 * n;
      for (Index col = 0; col < n; ++col) {
        const std::int64_t middle = std::int64_t{high[n + col]} + low[col];
        c[row * n + col] = std::int64_t{high[col]} * (base * base) + middle * base + low[n + col];
      }
    }
  });
}

}  // namespace

void integer_product_12bit(const std::int16_t* a, const std::int16_t* b, Index m, Index n, Index k,
                           std::int64_t* c) {
  if (m < 0 || n < 0 || k < 0 || k > max_contraction_8x8)
    fail("12-bit product: shape [{}, {}, {}] is out of range (contraction at most {})", m, n, k,
         max_contraction_8x8);
  const AlignedBuffer<std::int8_t> b_digits = split_digits(b, n, k);
  const Int8View b_view{b_digits.data(), 2 * n, k, k};
  AlignedBuffer<std::int32_t> sums(2 * std::min(m, rows_per_tile) * 2 * n);
  for (Index row = 0; row < m; row += rows_per_tile) {
    const Index rows = std::min(rows_per_tile, m - row);
    const AlignedBuffer<std::int8_t> a_digits = split_digits(a + row * k, rows, k);
    integer_product({a_digits.data(), 2 * rows, k, k}, Transpose::No, b_view, Transpose::Yes, sums.data(),
                    2 * n);
    join(sums, rows, n, c + row * n);
  }
}

}  // namespace fixtune
