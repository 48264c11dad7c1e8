#include "gemm/register_peak.h"

#include <algorithm>

#include "fixtune/core/parallel.h"
#include "fixtune/gemm/packed_product.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define FIXTUNE_BENCH_X86 1
#endif

namespace fixtune::bench {

#ifdef FIXTUNE_BENCH_X86
namespace {

// Twelve sums: enough to hide the latency of two units, and with the operands still within 16 registers.
constexpr int sums = 12;

// An operand the compiler must take for new in every turn, or it would compute the product once and for all.
#define FIXTUNE_BENCH_RENEW(x) asm volatile("" : "+v"(x))

// The loops differ in type, instruction and target attribute only; a template cannot carry the latter.
#define FIXTUNE_BENCH_PEAK_LOOP(name, isa, Vector, Operand, one, multiply_add) \
  __attribute__((target(isa))) void name(std::int64_t turns) {                 \
    Operand a = one, b = one;                                                  \
    Vector sum[sums];                                                          \
    _Pragma("GCC unroll 12") for (int i = 0; i < sums; ++i) sum[i] = Vector{}; \
    for (std::int64_t turn = 0; turn < turns; ++turn) {                        \
      _Pragma("GCC unroll 12") for (int i = 0; i < sums; ++i) {                \
        FIXTUNE_BENCH_RENEW(a);                                                \
        sum[i] = multiply_add;                                                 \
      }                                                                        \
    }                                                                          \
    _Pragma("GCC unroll 12") for (int i = 0; i < sums; ++i) FIXTUNE_BENCH_RENEW(sum[i]); \
  }

FIXTUNE_BENCH_PEAK_LOOP(fp32_avx512, "avx512f", __m512, __m512, _mm512_set1_ps(1.0F), _mm512_fmadd_ps(a, b, sum[i]))
FIXTUNE_BENCH_PEAK_LOOP(fp32_avx2, "avx2,fma", __m256, __m256, _mm256_set1_ps(1.0F), _mm256_fmadd_ps(a, b, sum[i]))
FIXTUNE_BENCH_PEAK_LOOP(int8_avx512, "avx512f,avx512vnni", __m512i, __m512i, _mm512_set1_epi8(1),
                        _mm512_dpbusd_epi32(sum[i], a, b))
FIXTUNE_BENCH_PEAK_LOOP(int8_avx_vnni, "avx2,avxvnni", __m256i, __m256i, _mm256_set1_epi8(1),
                        _mm256_dpbusd_avx_epi32(sum[i], a, b))
FIXTUNE_BENCH_PEAK_LOOP(int8_avx2, "avx2", __m256i, __m256i, _mm256_set1_epi8(1),
                        _mm256_add_epi32(sum[i], _mm256_madd_epi16(_mm256_maddubs_epi16(a, b), b)))
FIXTUNE_BENCH_PEAK_LOOP(bf16_avx512, "avx512f,avx512bf16", __m512, __m512i, _mm512_set1_epi32(0x3f803f80),
                        _mm512_dpbf16_ps(sum[i], (__m512bh)a, (__m512bh)b))

bool cpu_has_avx_vnni() {
  const std::vector<PackedKernel> kernels = available_packed_kernels();
  return std::find(kernels.begin(), kernels.end(), PackedKernel::AvxVnni) != kernels.end();
}

}  // namespace

std::vector<PeakLoop> peak_loops(PeakInstructions instructions) {
  __builtin_cpu_init();
  const bool wide = instructions == PeakInstructions::Best && __builtin_cpu_supports("avx512f") != 0;
  std::vector<PeakLoop> loops;
  if (wide && __builtin_cpu_supports("avx512vnni") != 0)
    loops.push_back({"INT8", "AVX-512 vpdpbusd", 128.0 * sums, int8_avx512});
  else if (instructions != PeakInstructions::Avx2 && cpu_has_avx_vnni())
    loops.push_back({"INT8", "AVX-VNNI vpdpbusd", 64.0 * sums, int8_avx_vnni});
  else if (__builtin_cpu_supports("avx2") != 0)
    loops.push_back({"INT8", "AVX2 vpmaddubsw, vpmaddwd, vpaddd", 64.0 * sums, int8_avx2});
  if (wide && __builtin_cpu_supports("avx512bf16") != 0)
    loops.push_back({"BF16", "AVX-512 vdpbf16ps", 64.0 * sums, bf16_avx512});
  if (wide)
    loops.push_back({"FP32", "AVX-512 vfmadd", 32.0 * sums, fp32_avx512});
  else if (__builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0)
    loops.push_back({"FP32", "AVX2 vfmadd", 16.0 * sums, fp32_avx2});
  return loops;
}

#else

std::vector<PeakLoop> peak_loops(PeakInstructions) { return {}; }

#endif

void PeakLoop::operator()() const {
  parallel_for(thread_count(), 1, [this](std::int64_t begin, std::int64_t end) {
    for (std::int64_t thread = begin; thread < end; ++thread) run(turns);
  });
}

double PeakLoop::operations() const {
  return operations_per_turn * static_cast<double>(turns) * static_cast<double>(thread_count());
}

}  // namespace fixtune::bench
