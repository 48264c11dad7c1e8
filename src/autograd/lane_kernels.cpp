#include "lane_kernels.h"

namespace fixtune::detail {

extern const LaneKernels baseline_lane_kernels;
#if defined(FIXTUNE_X86_LANE_KERNELS)
extern const LaneKernels avx512_bf16_lane_kernels;
extern const LaneKernels avx512_lane_kernels;
extern const LaneKernels avx2_lane_kernels;
#endif

LaneKernelList usable_lane_kernels() {
  LaneKernelList list{};
#if defined(FIXTUNE_X86_LANE_KERNELS)
  __builtin_cpu_init();
  // What the compiler may use for x86-64-v4.
  const bool avx512 =
      __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("bmi2") &&
      __builtin_cpu_supports("fma");
  if (avx512 && __builtin_cpu_supports("avx512bf16")) list.kernels[list.count++] = &avx512_bf16_lane_kernels;
  if (avx512) list.kernels[list.count++] = &avx512_lane_kernels;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) list.kernels[list.count++] = &avx2_lane_kernels;
#endif
  list.kernels[list.count++] = &baseline_lane_kernels;
  return list;
}

namespace {

const LaneKernels& fastest_lane_kernels() {
  const LaneKernelList list = usable_lane_kernels();
#if defined(FIXTUNE_X86_LANE_KERNELS)
  // BF16 products of two values a lane run at the rate of FP32's of one on an AMD Zen; on an Intel Xeon (Emerald Rapids)
  // at a quarter of it, so that FP32 is ahead (bench_gemm, register peaks). By name and not by a trial: one CPU always
  // gives the same bits.
  const bool pairs_are_slow = __builtin_cpu_is("intel");
  if (list.kernels[0] == &avx512_bf16_lane_kernels && pairs_are_slow) return *list.kernels[1];
#endif
  return *list.kernels[0];
}

}  // namespace

const LaneKernels& lane_kernels() {
  static const LaneKernels& fastest = fastest_lane_kernels();
  return fastest;
}

}  // namespace fixtune::detail
