// Lane kernels for AVX2 and FMA. No Eigen and no standard templates here: the linker may keep their copy for
// everyone.
#define FIXTUNE_LANES_NAMESPACE avx2
#include "attention_lanes.h"
#include "norm_lanes.h"

namespace fixtune::detail {

extern const LaneKernels avx2_lane_kernels;
const LaneKernels avx2_lane_kernels{avx2::attention_scratch,     avx2::attention_forward,
                                      avx2::attention_backward,    avx2::residual_norm_forward,
                                      avx2::residual_norm_backward, "avx2"};

}  // namespace fixtune::detail
