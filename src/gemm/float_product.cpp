#include "fixtune/gemm/float_product.h"

#include <omp.h>

#include <algorithm>

#include "bf16.h"
#include "bf16_matmul.h"
#include "bf16_product.h"
#include "fixtune/core/parallel.h"
#include "operand_shape.h"
#include "sgemm.h"

namespace fixtune {
namespace {

using detail::SgemmArguments;
using detail::Stored;

constexpr Index rows_per_task = 32;

Index rows_of(const ConstMatrixMap& m, Transpose t) { return t == Transpose::Yes ? m.cols() : m.rows(); }
Index cols_of(const ConstMatrixMap& m, Transpose t) { return t == Transpose::Yes ? m.rows() : m.cols(); }
Index leading(Index stride, Index cols) { return std::max({stride, cols, Index{1}}); }

SgemmArguments checked_arguments(const ConstMatrixMap& a, Transpose transpose_a, const ConstMatrixMap& b,
                                 Transpose transpose_b, MatrixMap& c, bool accumulate) {
  const SgemmArguments s{transpose_a,
                         transpose_b,
                         rows_of(a, transpose_a),
                         cols_of(b, transpose_b),
                         cols_of(a, transpose_a),
                         a.data(),
                         leading(a.outerStride(), a.cols()),
                         b.data(),
                         leading(b.outerStride(), b.cols()),
                         c.data(),
                         leading(c.outerStride(), c.cols()),
                         accumulate};
  if (s.k != rows_of(b, transpose_b) || c.rows() != s.m || c.cols() != s.n)
    fail("float product: shapes do not agree: A [{}, {}]{}, B [{}, {}]{}, C [{}, {}]", a.rows(), a.cols(),
         transpose_a == Transpose::Yes ? "^T" : "", b.rows(), b.cols(),
         transpose_b == Transpose::Yes ? "^T" : "", c.rows(), c.cols());
  return s;
}

const float* rounded(const float* in, Stored stored, Index stride, AlignedBuffer<float>& out) {
  out.resize_discarding(stored.rows * stored.cols);
  float* values = out.data();
  if (stored.cols == 0) return values;  // there may be no memory to point into
  parallel_for(stored.rows, rows_per_task, [=](Index begin, Index end) {
    for (Index r = begin; r < end; ++r)
      detail::round_values_to_bf16(in + r * stride, values + r * stored.cols, stored.cols);
  });
  return values;
}

/// FP32 product of operands rounded to BF16.
void rounded_sgemm(SgemmArguments s) {
  thread_local AlignedBuffer<float> a_values;
  thread_local AlignedBuffer<float> b_values;
  const Stored a = detail::stored_a(s);
  const Stored b = detail::stored_b(s);
  s.a = rounded(s.a, a, s.lda, a_values);
  s.b = rounded(s.b, b, s.ldb, b_values);
  s.lda = std::max(a.cols, Index{1});
  s.ldb = std::max(b.cols, Index{1});
  detail::sgemm(s);
}

/// One thread while it lives. Inside a parallel region oneDNN and parallel_for already keep to the calling
/// thread.
class OneThread {
 public:
  OneThread() : threads_(omp_in_parallel() != 0 ? 0 : omp_get_max_threads()) {
    if (threads_ > 1) omp_set_num_threads(1);
  }
  ~OneThread() {
    if (threads_ > 1) omp_set_num_threads(threads_);
  }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int threads_;
};

}  // namespace

void float_product(FloatKind kind, ConstMatrixMap a, Transpose transpose_a, ConstMatrixMap b,
                   Transpose transpose_b, MatrixMap c, bool accumulate) {
  const SgemmArguments s = checked_arguments(a, transpose_a, b, transpose_b, c, accumulate);
  if (kind == FloatKind::FP32)
    detail::sgemm(s);
  else if (!detail::native_bf16_product(s))
    rounded_sgemm(s);
}

void float_product_serial(FloatKind kind, const FloatProductItem& item, Transpose transpose_a,
                          Transpose transpose_b) {
  const OneThread one_thread;
  const SgemmArguments s{transpose_a, transpose_b, item.m,   item.n, item.k,   item.a,
                         item.lda,    item.b,      item.ldb, item.c, item.ldc, /*accumulate=*/false};
  if (kind == FloatKind::FP32)
    detail::sgemm(s);
  else
    rounded_sgemm(s);
}

bool has_native_bf16() { return detail::bf16_instructions(); }

float round_to_bf16(float x) { return detail::bf16_value(detail::bf16_bits(x)); }

}  // namespace fixtune
