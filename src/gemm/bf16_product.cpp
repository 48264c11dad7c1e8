#include "bf16_product.h"

#include <algorithm>

#include "bf16.h"
#include "bf16_matmul.h"
#include "fixtune/core/parallel.h"
#include "operand_shape.h"

namespace fixtune::detail {
namespace {

// Every batch of sentences has another number of tokens, which is the rows of Y and dX and the contraction of
// dW. A primitive for each would be compiled anew and stay on the heap between the large buffers
// (measured: 1.2 GB held for 41 MB in use). So tokens are taken in steps: full ones straight into C, the rest
// padded, through a buffer.
constexpr Index token_step = 64;
constexpr Index tail_step = 16;
constexpr Index rows_per_task = 32;

Index round_up(Index x, Index step) { return (x + step - 1) / step * step; }

/// BF16 of an operand, contiguous, with zeros up to the padded extents.
void convert(const float* in, Stored from, Index stride, Stored to, AlignedBuffer<std::uint16_t>& out) {
  out.resize_discarding(to.rows * to.cols);
  std::uint16_t* values = out.data();
  parallel_for(to.rows, rows_per_task, [=](Index begin, Index end) {
    for (Index r = begin; r < end; ++r) {
      const Index filled = r < from.rows ? from.cols : 0;
      convert_to_bf16(in + r * stride, values + r * to.cols, filled);
      std::fill(values + r * to.cols + filled, values + (r + 1) * to.cols, std::uint16_t{0});
    }
  });
}

void take_rows(const AlignedBuffer<float>& from, Index rows, const SgemmArguments& s, Index first_row) {
  for (Index r = 0; r < rows; ++r) {
    float* out = s.c + (first_row + r) * s.ldc;
    const float* in = from.data() + r * s.n;
    for (Index n = 0; n < s.n; ++n) out[n] = s.accumulate ? out[n] + in[n] : in[n];
  }
}

/// The last rows, fewer than a step, as a padded product of their own.
bool tail_product(Bf16Product product, const SgemmArguments& s, Index first_row) {
  thread_local AlignedBuffer<float> rows;
  product.m = round_up(s.m - first_row, tail_step);
  product.a += product.transpose_a == Transpose::Yes ? first_row : first_row * product.lda;
  rows.resize_discarding(product.m * s.n);
  product.c = rows.data();
  product.ldc = s.n;
  product.accumulate = false;
  if (!bf16_matmul(product)) return false;
  take_rows(rows, s.m - first_row, s, first_row);
  return true;
}

}  // namespace

bool native_bf16_product(const SgemmArguments& s) {
  if (s.m == 0 || s.n == 0 || s.k == 0 || !bf16_instructions()) return false;
  SgemmArguments padded = s;
  padded.m = round_up(s.m, tail_step);
  padded.k = round_up(s.k, token_step);
  const Stored a = stored_a(padded);
  const Stored b = stored_b(padded);
  thread_local AlignedBuffer<std::uint16_t> a_bits;
  thread_local AlignedBuffer<std::uint16_t> b_bits;
  convert(s.a, stored_a(s), s.lda, a, a_bits);
  convert(s.b, stored_b(s), s.ldb, b, b_bits);

  const Index full_rows = s.m / token_step * token_step;
  const Bf16Product product{s.transpose_a, s.transpose_b, full_rows, s.n,   padded.k,    a_bits.data(),
                            a.cols,        b_bits.data(), s.c,       s.ldc, s.accumulate};
  // The tail first: where oneDNN has no kernel for it, C is still untouched.
  if (full_rows < s.m && !tail_product(product, s, full_rows)) return false;
  if (full_rows == 0 || bf16_matmul(product)) return true;
  if (full_rows < s.m)
    fail("oneDNN has a BF16 kernel for {} rows and none for {}", s.m - full_rows, full_rows);
  return false;
}

}  // namespace fixtune::detail
