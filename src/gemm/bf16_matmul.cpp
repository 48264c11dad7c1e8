#include "bf16_matmul.h"

#include <omp.h>

#include <list>
#include <mutex>
#include <oneapi/dnnl/dnnl.hpp>
#include <optional>
#include <string_view>
#include <utility>

namespace fixtune::detail {
namespace {

const dnnl::engine& engine() {
  static const dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
  return cpu;
}

/// What a primitive is made for. The threads are part of it: oneDNN plans its blocks and scratch memory for
/// them.
struct Key {
  Index m, n, k, lda, ldc;
  bool transpose_a, transpose_b, accumulate;
  int threads;
  bool operator==(const Key&) const = default;
};

Key key_of(const Bf16Product& p) {
  return {p.m,
          p.n,
          p.k,
          p.lda,
          p.ldc,
          p.transpose_a == Transpose::Yes,
          p.transpose_b == Transpose::Yes,
          p.accumulate,
          omp_in_parallel() != 0 ? 1 : omp_get_max_threads()};
}

dnnl::memory::desc operand(Index rows, Index cols, Index stride, bool transpose) {
  return {{rows, cols},
          dnnl::memory::data_type::bf16,
          transpose ? dnnl::memory::dims{1, stride} : dnnl::memory::dims{stride, 1}};
}

dnnl::matmul::primitive_desc describe(const Key& key) {
  const dnnl::memory::desc a = operand(key.m, key.k, key.lda, key.transpose_a);
  const dnnl::memory::desc b = operand(key.k, key.n, key.transpose_b ? key.k : key.n, key.transpose_b);
  const dnnl::memory::desc c({key.m, key.n}, dnnl::memory::data_type::f32, dnnl::memory::dims{key.ldc, 1});
  dnnl::primitive_attr attributes;
  // The library's own scratch memory would make one primitive unsafe in two threads.
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (key.accumulate) {
    dnnl::post_ops sum;
    sum.append_sum();
    attributes.set_post_ops(sum);
  }
#if DNNL_VERSION_MAJOR >= 3
  return {engine(), a, b, c, attributes};
#else
  return {dnnl::matmul::desc(a, b, c), attributes, engine()};
#endif
}

bool is_reference(const dnnl::matmul::primitive_desc& description) {
  return std::string_view(description.impl_info_str()).substr(0, 3) == "ref";
}

struct Plan {
  dnnl::matmul::primitive_desc description;
  std::optional<dnnl::matmul> primitive;  // none where oneDNN has only its reference kernel
};

Plan make_plan(const Key& key) {
  Plan plan{describe(key), std::nullopt};
  if (!is_reference(plan.description)) plan.primitive.emplace(plan.description);
  return plan;
}

/// The plans of the last shapes used, so many and no more.
class PlanCache {
 public:
  Plan find_or_make(const Key& key) {
    const std::lock_guard lock(mutex_);
    for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
      if (!(entry->first == key)) continue;
      entries_.splice(entries_.begin(), entries_, entry);
      return entry->second;
    }
    entries_.emplace_front(key, make_plan(key));
    if (entries_.size() > capacity) entries_.pop_back();
    return entries_.front().second;
  }

 private:
  static constexpr std::size_t capacity = 256;
  std::mutex mutex_;
  std::list<std::pair<Key, Plan>> entries_;
};

PlanCache& plan_cache() {
  static PlanCache cache;
  return cache;
}

dnnl::memory wrap(const dnnl::memory::desc& description, const void* data) {
  return {description, engine(), const_cast<void*>(data)};
}

void run(const Plan& plan, const Bf16Product& p) {
  thread_local AlignedBuffer<std::byte> scratch;
  scratch.resize_discarding(static_cast<Index>(plan.description.scratchpad_desc().get_size()));
  dnnl::stream stream(engine());
  plan.primitive->execute(stream,
                          {{DNNL_ARG_SRC, wrap(plan.description.src_desc(), p.a)},
                           {DNNL_ARG_WEIGHTS, wrap(plan.description.weights_desc(), p.b)},
                           {DNNL_ARG_DST, wrap(plan.description.dst_desc(), p.c)},
                           {DNNL_ARG_SCRATCHPAD, wrap(plan.description.scratchpad_desc(), scratch.data())}});
  stream.wait();
}

bool find_bf16_instructions() {
  const auto isa = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
  constexpr auto needed = static_cast<unsigned>(dnnl::cpu_isa::avx512_core_bf16);
  if ((isa & needed) != needed) return false;
  return !is_reference(describe({64, 64, 64, 64, 64, false, true, false, 1}));
}

}  // namespace

bool bf16_instructions() {
  static const bool found = [] {
    try {
      return find_bf16_instructions();
    } catch (const dnnl::error&) {
      return false;
    }
  }();
  return found;
}

bool bf16_matmul(const Bf16Product& product) try {
  const Plan plan = plan_cache().find_or_make(key_of(product));
  if (!plan.primitive) return false;
  run(plan, product);
  return true;
} catch (const dnnl::error& error) {
  fail("oneDNN refused a BF16 product [{}, {}, {}]: {}", product.m, product.n, product.k, error.what());
}

}  // namespace fixtune::detail
