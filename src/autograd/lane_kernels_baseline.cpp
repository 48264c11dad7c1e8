// Lane kernels for what the target always has. No Eigen and no standard templates here: the linker may keep their copy for
// everyone.
#define FIXTUNE_LANES_NAMESPACE baseline
#include "attention_lanes.h"
#include "norm_lanes.h"

namespace fixtune::detail {

extern const LaneKernels baseline_lane_kernels;
const LaneKernels baseline_lane_kernels{baseline::attention_scratch,     baseline::attention_forward,
                                      baseline::attention_backward,    baseline::residual_norm_forward,
                                      baseline::residual_norm_backward, "baseline"};

}  // namespace fixtune::detail
