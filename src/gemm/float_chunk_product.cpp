#include "fixtune/core/parallel.h"
#include "integer_kernel.h"
#include "sgemm.h"

namespace fixtune::detail {
namespace {

// 1024 products of at most 128 * 128 = 2^14: every partial sum is an integer of at most 2^24, exact in FP32
// in whatever order.
constexpr Index exact_chunk = 1024;

constexpr Index rows_per_task = 16;

AlignedBuffer<float> to_float(const Int8View& view) {
  AlignedBuffer<float> values(view.rows * view.cols);
  parallel_for(view.rows, rows_per_task, [&](Index begin, Index end) {
    for (Index r = begin; r < end; ++r)
      for (Index c = 0; c < view.cols; ++c)
        values[r * view.cols + c] = static_cast<float>(view.data[r * view.stride + c]);
  });
  return values;
}

void add_chunk(const IntegerProduct& p, const AlignedBuffer<float>& sums, bool first) {
  parallel_for(p.m, rows_per_task, [&](Index begin, Index end) {
    for (Index m = begin; m < end; ++m) {
      std::int32_t* out = p.c + m * p.ldc;
      for (Index n = 0; n < p.n; ++n) {
        const auto sum = static_cast<std::int32_t>(sums[m * p.n + n]);
        out[n] = first ? sum : out[n] + sum;
      }
    }
  });
}

}  // namespace

// For CPUs whose INT8 instructions saturate: the speed of FP32, the integers of the reference.
void float_chunk_product(const IntegerProduct& p) {
  const AlignedBuffer<float> a = to_float(p.a);
  const AlignedBuffer<float> b = to_float(p.b);
  AlignedBuffer<float> sums(p.m * p.n);
  for (Index k = 0; k < p.k; k += exact_chunk) {
    SgemmArguments chunk;
    chunk.transpose_a = p.transpose_a;
    chunk.transpose_b = p.transpose_b;
    chunk.m = p.m;
    chunk.n = p.n;
    chunk.k = std::min(exact_chunk, p.k - k);
    chunk.a = a.data() + (p.transpose_a == Transpose::Yes ? k * p.a.cols : k);
    chunk.b = b.data() + (p.transpose_b == Transpose::Yes ? k : k * p.b.cols);
    chunk.lda = p.a.cols;
    chunk.ldb = p.b.cols;
    chunk.c = sums.data();
    chunk.ldc = p.n;
    sgemm(chunk);
    add_chunk(p, sums, /*first=*/k == 0);
  }
}

}  // namespace fixtune::detail
