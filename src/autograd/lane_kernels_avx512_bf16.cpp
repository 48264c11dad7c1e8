// Lane kernels for AVX-512 (x86-64-v4) with AVX512-BF16. No Eigen and no standard templates here: the linker may keep
// their copy for everyone.
#define FIXTUNE_LANES_NAMESPACE avx512_bf16
#include "attention_pairs.h"
#include "norm_lanes.h"

namespace fixtune::detail {
namespace avx512_bf16 {

void any_attention_forward(const AttentionShape& shape, const AttentionHead& head, const AttentionForward& f,
                           float* scratch) {
  return (shape.bf16 ? attention_pairs_forward : attention_forward)(shape, head, f, scratch);
}

void any_attention_backward(const AttentionShape& shape, const AttentionHead& head, const AttentionBackward& b,
                            float* scratch) {
  return (shape.bf16 ? attention_pairs_backward : attention_backward)(shape, head, b, scratch);
}

}  // namespace avx512_bf16

extern const LaneKernels avx512_bf16_lane_kernels;
const LaneKernels avx512_bf16_lane_kernels{avx512_bf16::attention_scratch,      avx512_bf16::any_attention_forward,
                                           avx512_bf16::any_attention_backward, avx512_bf16::residual_norm_forward,
                                           avx512_bf16::residual_norm_backward, "avx512_bf16"};

}  // namespace fixtune::detail
