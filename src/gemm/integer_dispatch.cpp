#include <algorithm>
#include <optional>

#include "backend_check.h"
#include "fixtune/gemm/packed_product.h"
#include "integer_kernel.h"

namespace fixtune {
namespace {

using detail::IntegerProduct;

std::string shape_text(const Int8View& view, Transpose transpose) {
  return fmt::format("[{}, {}]{}", view.rows, view.cols, transpose == Transpose::Yes ? "^T" : "");
}

void check_view(const Int8View& view, const char* operand) {
  if (view.rows < 0 || view.cols < 0 || (view.rows > 1 && view.stride < view.cols))
    fail("integer product: {} of shape [{}, {}] cannot have row stride {}", operand, view.rows, view.cols,
         view.stride);
}

/// A leading dimension libraries accept: the stride of a single row may be anything.
Int8View with_valid_stride(Int8View view) {
  view.stride = std::max({view.stride, view.cols, Index{1}});
  return view;
}

IntegerProduct checked_product(const Int8View& a, Transpose transpose_a, const Int8View& b,
                               Transpose transpose_b, std::int32_t* c, Index ldc) {
  check_view(a, "A");
  check_view(b, "B");
  IntegerProduct p{with_valid_stride(a), with_valid_stride(b), transpose_a, transpose_b, c, ldc};
  p.m = transpose_a == Transpose::Yes ? a.cols : a.rows;
  p.k = transpose_a == Transpose::Yes ? a.rows : a.cols;
  p.n = transpose_b == Transpose::Yes ? b.rows : b.cols;
  const Index b_contraction = transpose_b == Transpose::Yes ? b.cols : b.rows;
  if (p.k != b_contraction)
    fail("integer product: the contraction of A {} and B {} differs", shape_text(a, transpose_a),
         shape_text(b, transpose_b));
  if (p.k > max_contraction_8x8)
    fail("integer product: A {} contracts {} values; sums stay exact in 32 bits up to {}",
         shape_text(a, transpose_a), p.k, max_contraction_8x8);
  if (p.m > 1 && ldc < p.n) fail("integer product: row stride {} of C is below its {} columns", ldc, p.n);
  p.ldc = std::max({ldc, p.n, Index{1}});
  return p;
}

using Kernel = void (*)(const IntegerProduct&);

Kernel kernel_of(IntegerBackend backend) {
  switch (backend) {
    case IntegerBackend::Reference:
      return detail::reference_product;
    case IntegerBackend::Packed:
      return detail::packed_integer_product;
    case IntegerBackend::OneDnn:
      return detail::onednn_product;
    case IntegerBackend::OneDnnFp32:
      return detail::float_chunk_product;
  }
  fail("no such integer back end: {}", static_cast<int>(backend));
}

/// Why a back end is out before it is tried, or an empty string.
std::string excluded(IntegerBackend backend) {
#if !defined(__x86_64__)
  if (backend == IntegerBackend::OneDnn)
    return "oneDNN has only its reference kernel for it on this architecture";
#else
  static_cast<void>(backend);
#endif
  return {};
}

struct Choice {
  IntegerBackend backend = IntegerBackend::Reference;
  bool own_for_large_outputs = false;
  std::vector<std::string> report;
};

/// Whether the own kernels take what is_large_output is true of. They store it past the caches while they multiply; where
/// memory is slow this is ahead of oneDNN: on an Intel Xeon (Emerald Rapids) by 14 % on one thread and 6 % on two. On
/// AMD Zens, before the own kernels stored integers so, oneDNN was ahead everywhere (bench_gemm, back ends).
bool own_kernels_take_large_outputs() {
#if defined(__x86_64__)
  return __builtin_cpu_is("intel") != 0 && active_packed_kernel() == PackedKernel::Avx512Vnni &&
         detail::check_backend(kernel_of(IntegerBackend::Packed)).empty();
#else
  return false;
#endif
}

/// Of long contractions the products take most of the time, of small outputs the caches keep all.
bool is_large_output(Index m, Index n, Index k) {
  constexpr Index longest_contraction = 1024, bytes = Index{4} << 20;
  return k <= longest_contraction && m * n * Index{sizeof(std::int32_t)} >= bytes;
}

Choice choose_backend() {
  Choice choice;
  for (const IntegerBackend backend : {IntegerBackend::OneDnn, IntegerBackend::Packed, IntegerBackend::OneDnnFp32}) {
    std::string reason = excluded(backend);
    if (reason.empty()) reason = detail::check_backend(kernel_of(backend));
    choice.report.push_back(
        fmt::format("{}: {}", name(backend), reason.empty() ? "chosen" : "not used: " + reason));
    if (reason.empty()) {
      choice.backend = backend;
      choice.own_for_large_outputs = backend == IntegerBackend::OneDnn && own_kernels_take_large_outputs();
      if (choice.own_for_large_outputs)
        choice.report.back() += fmt::format("; for large outputs of short contractions {}", name(IntegerBackend::Packed));
      return choice;
    }
  }
  choice.report.push_back(fmt::format("{}: chosen, slow", name(IntegerBackend::Reference)));
  return choice;
}

const Choice& choice() {
  static const Choice made = choose_backend();
  return made;
}

}  // namespace

namespace {

void run_product(std::optional<IntegerBackend> backend, const IntegerProduct& product) {
  if (product.m == 0 || product.n == 0) return;
  if (product.k == 0) {
    for (Index m = 0; m < product.m; ++m) std::fill_n(product.c + m * product.ldc, product.n, 0);
    return;
  }
  kernel_of(backend ? *backend : integer_backend_for(product.m, product.n, product.k))(product);
}

}  // namespace

void integer_product(IntegerBackend backend, const Int8View& a, Transpose transpose_a, const Int8View& b,
                     Transpose transpose_b, std::int32_t* c, Index ldc) {
  run_product(backend, checked_product(a, transpose_a, b, transpose_b, c, ldc));
}

void integer_product(const Int8View& a, Transpose transpose_a, const Int8View& b, Transpose transpose_b,
                     std::int32_t* c, Index ldc) {
  run_product({}, checked_product(a, transpose_a, b, transpose_b, c, ldc));
}

IntegerBackend active_integer_backend() { return choice().backend; }

IntegerBackend integer_backend_for(Index m, Index n, Index k) {
  return choice().own_for_large_outputs && is_large_output(m, n, k) ? IntegerBackend::Packed : choice().backend;
}

std::string_view name(IntegerBackend backend) {
  switch (backend) {
    case IntegerBackend::Reference:
      return "reference";
    case IntegerBackend::Packed:
      return "packed (own kernels)";
    case IntegerBackend::OneDnn:
      return "onednn (dnnl_gemm_s8s8s32)";
    case IntegerBackend::OneDnnFp32:
      return "onednn-fp32 (dnnl_sgemm, exact chunks)";
  }
  return "unknown";
}

std::vector<std::string> integer_backend_report() { return choice().report; }

}  // namespace fixtune
