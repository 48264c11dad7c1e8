#include "gemm/onednn_fp32.h"

#include <oneapi/dnnl/dnnl.hpp>
#include <string_view>

#include "fixtune/core/error.h"

namespace fixtune::bench {
namespace {

/// op(X) `[rows, cols]`; stored the other way round where `transpose` says so.
dnnl::memory::desc operand(Index rows, Index cols, Transpose transpose) {
  return {{rows, cols},
          dnnl::memory::data_type::f32,
          transpose == Transpose::Yes ? dnnl::memory::dims{1, rows} : dnnl::memory::dims{cols, 1}};
}

dnnl::memory::desc any_layout(Index rows, Index cols) {
  return {{rows, cols}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::any};
}

dnnl::matmul::primitive_desc describe(const dnnl::engine& engine, const dnnl::memory::desc& a,
                                      const dnnl::memory::desc& b, const dnnl::memory::desc& c) {
#if DNNL_VERSION_MAJOR >= 3
  return {engine, a, b, c};
#else
  return {dnnl::matmul::desc(a, b, c), engine};
#endif
}

}  // namespace

struct OneDnnFp32Matmul::Plan {
  Plan(Index m, Index n, Index k, Transpose transpose_a, Transpose transpose_b, PackB pack)
      : a(operand(m, k, transpose_a)),
        b(operand(k, n, transpose_b)),
        c(operand(m, n, Transpose::No)),
        description(describe(engine, a, pack == PackB::Beforehand ? any_layout(k, n) : b, c)),
        primitive(description) {}

  dnnl::memory wrap(const dnnl::memory::desc& shape, const float* data) const {
    return {shape, engine, const_cast<float*>(data)};
  }

  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  dnnl::memory::desc a, b, c;
  dnnl::matmul::primitive_desc description;
  dnnl::matmul primitive;
  dnnl::memory packed;
};

OneDnnFp32Matmul::OneDnnFp32Matmul(Index m, Index n, Index k, Transpose transpose_a, Transpose transpose_b,
                                   PackB pack) try
    : plan_(std::make_unique<Plan>(m, n, k, transpose_a, transpose_b, pack)) {
  if (std::string_view(plan_->description.impl_info_str()).starts_with("ref"))
    fail("oneDNN has only its reference kernel for an FP32 matmul [{}, {}, {}]", m, n, k);
} catch (const dnnl::error& error) {
  fail("oneDNN refused an FP32 matmul [{}, {}, {}]: {}", m, n, k, error.what());
}

OneDnnFp32Matmul::~OneDnnFp32Matmul() = default;

void OneDnnFp32Matmul::pack(const float* b) {
  plan_->packed = dnnl::memory(plan_->description.weights_desc(), plan_->engine);
  dnnl::memory stored = plan_->wrap(plan_->b, b);
  dnnl::reorder(stored, plan_->packed).execute(plan_->stream, stored, plan_->packed);
  plan_->stream.wait();
}

void OneDnnFp32Matmul::operator()(const float* a, const float* b, float* c) const {
  const dnnl::memory right = plan_->packed ? plan_->packed : plan_->wrap(plan_->b, b);
  plan_->primitive.execute(plan_->stream, {{DNNL_ARG_SRC, plan_->wrap(plan_->a, a)},
                                           {DNNL_ARG_WEIGHTS, right},
                                           {DNNL_ARG_DST, plan_->wrap(plan_->c, c)}});
  plan_->stream.wait();
}

}  // namespace fixtune::bench
