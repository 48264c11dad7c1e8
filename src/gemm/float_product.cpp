#include "fixtune/gemm/float_product.h"

#include <omp.h>

#include <algorithm>

#include "bf16.h"
#include "bf16_matmul.h"
#include "fixtune/core/parallel.h"
#include "sgemm.h"

namespace fixtune {
namespace {

using detail::SgemmArguments;

constexpr Index rows_per_task = 32;

Index rows_of(const ConstMatrixMap& m, Transpose t) { return t == Transpose::Yes ? m.cols() : m.rows(); }
Index cols_of(const ConstMatrixMap& m, Transpose t) { return t == Transpose::Yes ? m.rows() : m.cols(); }
Index leading(Index stride, Index cols) { return std::max({stride, cols, Index{1}}); }

SgemmArguments checked_arguments(const ConstMatrixMap& a, Transpose transpose_a, const ConstMatrixMap& b,
                                 Transpose transpose_b, MatrixMap& c, bool accumulate) {
  const SgemmArguments s{transpose_a, transpose_b, rows_of(a, transpose_a), cols_of(b, transpose_b),
                         cols_of(a, transpose_a), a.data(), leading(a.outerStride(), a.cols()), b.data(),
                         leading(b.outerStride(), b.cols()), c.data(), leading(c.outerStride(), c.cols()), accumulate};
  if (s.k != rows_of(b, transpose_b) || c.rows() != s.m || c.cols() != s.n)
    fail("float product: shapes do not agree: A [{}, {}]{}, B [{}, {}]{}, C [{}, {}]", a.rows(), a.cols(),
         transpose_a == Transpose::Yes ? "^T" : "", b.rows(), b.cols(), transpose_b == Transpose::Yes ? "^T" : "",
         c.rows(), c.cols());
  return s;
}

/// Rows of an operand as stored, converted one by one into contiguous storage.
template <typename T>
const T* convert(const float* in, Index rows, Index cols, Index stride, AlignedBuffer<T>& out,
                 void (*convert_row)(const float*, T*, Index)) {
  out.resize_discarding(rows * cols);
  T* values = out.data();
  parallel_for(rows, rows_per_task, [=](Index begin, Index end) {
    for (Index r = begin; r < end; ++r) convert_row(in + r * stride, values + r * cols, cols);
  });
  return values;
}

struct Stored {
  Index rows, cols;
};
Stored stored_a(const SgemmArguments& s) {
  return s.transpose_a == Transpose::Yes ? Stored{s.k, s.m} : Stored{s.m, s.k};
}
Stored stored_b(const SgemmArguments& s) {
  return s.transpose_b == Transpose::Yes ? Stored{s.n, s.k} : Stored{s.k, s.n};
}

/// FP32 product of operands rounded to BF16.
void rounded_sgemm(SgemmArguments s) {
  thread_local AlignedBuffer<float> a_values;
  thread_local AlignedBuffer<float> b_values;
  const Stored a = stored_a(s);
  const Stored b = stored_b(s);
  s.a = convert<float>(s.a, a.rows, a.cols, s.lda, a_values, detail::round_values_to_bf16);
  s.b = convert<float>(s.b, b.rows, b.cols, s.ldb, b_values, detail::round_values_to_bf16);
  s.lda = std::max(a.cols, Index{1});
  s.ldb = std::max(b.cols, Index{1});
  detail::sgemm(s);
}

bool native_bf16_product(const SgemmArguments& s) {
  if (s.m == 0 || s.n == 0 || s.k == 0 || !detail::bf16_instructions()) return false;
  thread_local AlignedBuffer<std::uint16_t> a_bits;
  thread_local AlignedBuffer<std::uint16_t> b_bits;
  const Stored a = stored_a(s);
  const Stored b = stored_b(s);
  detail::Bf16Product product{s.transpose_a, s.transpose_b, s.m, s.n, s.k};
  product.a = convert<std::uint16_t>(s.a, a.rows, a.cols, s.lda, a_bits, detail::convert_to_bf16);
  product.b = convert<std::uint16_t>(s.b, b.rows, b.cols, s.ldb, b_bits, detail::convert_to_bf16);
  product.c = s.c;
  product.ldc = s.ldc;
  product.accumulate = s.accumulate;
  return detail::bf16_matmul(product);
}

/// One thread while it lives. Inside a parallel region oneDNN and parallel_for already keep to the calling thread.
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

void float_product(FloatKind kind, ConstMatrixMap a, Transpose transpose_a, ConstMatrixMap b, Transpose transpose_b,
                   MatrixMap c, bool accumulate) {
  const SgemmArguments s = checked_arguments(a, transpose_a, b, transpose_b, c, accumulate);
  if (kind == FloatKind::FP32)
    detail::sgemm(s);
  else if (!native_bf16_product(s))
    rounded_sgemm(s);
}

void float_product_serial(FloatKind kind, const FloatProductItem& item, Transpose transpose_a, Transpose transpose_b) {
  const OneThread one_thread;
  const SgemmArguments s{transpose_a, transpose_b, item.m, item.n, item.k, item.a, item.lda, item.b, item.ldb,
                         item.c, item.ldc, /*accumulate=*/false};
  if (kind == FloatKind::FP32)
    detail::sgemm(s);
  else
    rounded_sgemm(s);
}

bool has_native_bf16() { return detail::bf16_instructions(); }

float round_to_bf16(float x) { return detail::bf16_value(detail::bf16_bits(x)); }

}  // namespace fixtune
