// Lane kernels for AVX-512 (x86-64-v4). No Eigen and no standard templates here: the linker may keep their copy for
// everyone.
#define FIXTUNE_LANES_NAMESPACE avx512
#include "attention_lanes.h"
#include "norm_lanes.h"

namespace fixtune::detail {

extern const LaneKernels avx512_lane_kernels;
const LaneKernels avx512_lane_kernels{avx512::attention_scratch,     avx512::attention_forward,
                                      avx512::attention_backward,    avx512::residual_norm_forward,
                                      avx512::residual_norm_backward, "avx512"};

}  // namespace fixtune::detail
