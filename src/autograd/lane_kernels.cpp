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

const LaneKernels& lane_kernels() {
  static const LaneKernels& widest = *usable_lane_kernels().kernels[0];
  return widest;
}

}  // namespace fixtune::detail
