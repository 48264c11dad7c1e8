#pragma once

#include <cstdint>

#include "elementwise_kernels.h"

// Kernels written in vectors of the instruction set, one file per set, chosen once at run time. All run on the
// calling thread.

namespace fixtune::detail {

/// What the heads of one attention have in common.
struct AttentionShape {
  std::int64_t size = 0;    ///< columns of a head
  std::int64_t stride = 0;  ///< floats from one token of q, k, v, y and their gradients to the next
  float factor = 1.0F;      ///< of the scores: 1 / sqrt(size)
  bool bf16 = false;        ///< products take operands rounded to BF16
  // Dropout of the weights. Element number: the weights' row, over all items, in the upper 32 bits; the key below.
  DropoutMask mask;
  const std::uint32_t* mixed_keys = nullptr;  ///< mix32(key ^ mask.low) for each key
};

/// One head of one sentence.
struct AttentionHead {
  std::int64_t length = 0;      ///< tokens
  std::uint64_t first_row = 0;  ///< of its attention weights, over all items
  // What this thread is likely to take next is fetched meanwhile: a head's rows lie too far apart for the CPU to guess.
  std::int64_t next_length = 0;  ///< its tokens, of which as many as `length` are fetched
  std::int64_t to_next = 0;      ///< floats from this head's slices to that one's
};

/// [length, size] values: FP32 with AttentionShape::stride, or BF16 without gaps.
struct AttentionOperand {
  const float* values = nullptr;
  const std::uint16_t* bf16 = nullptr;
};

/// Per row of the weights, what recomputes it: P = exp(factor * (S - maximum)) * inverse_sum.
struct AttentionRows {
  float* maximum = nullptr;
  float* inverse_sum = nullptr;
};

struct AttentionForward {
  const float *q = nullptr, *k = nullptr, *v = nullptr;
  std::uint16_t *kept_q = nullptr, *kept_k = nullptr, *kept_v = nullptr;  ///< BF16 copies to fill, or null
  AttentionRows rows;  ///< to fill, or null
  float* y = nullptr;
};

struct AttentionBackward {
  AttentionOperand q, k, v;
  AttentionRows rows;
  const float* dy = nullptr;
  float *dq = nullptr, *dk = nullptr, *dv = nullptr;  ///< each may be null
};

/// What the rows of `y = normalised(x + dropout(h)) * gamma + beta` have in common.
struct ResidualNorm {
  std::int64_t cols = 0;
  const float* gamma = nullptr;
  const float* beta = nullptr;
  float epsilon = 0.0F;
  DropoutMask mask;  ///< element number: row * cols + column
};

struct ResidualNormForward {
  const float *x = nullptr, *h = nullptr;
  float* y = nullptr;
  float* normalised = nullptr;  ///< kept in FP32, or
  std::uint16_t* normalised_bf16 = nullptr;  ///< in BF16, or both null
  float* inverse_deviation = nullptr;  ///< one per row; may be null
};

struct ResidualNormBackward {
  const float* dy = nullptr;
  const float* normalised = nullptr;
  const std::uint16_t* normalised_bf16 = nullptr;
  const float* inverse_deviation = nullptr;
  float *dx = nullptr, *dh = nullptr;          ///< each may be null, and either may be dy
  float *dgamma = nullptr, *dbeta = nullptr;   ///< column sums are added; each may be null
};

struct LaneKernels {
  /// Floats of scratch memory that the two attention kernels need for a head.
  std::int64_t (*attention_scratch)(std::int64_t length, std::int64_t size);
  void (*attention_forward)(const AttentionShape&, const AttentionHead&, const AttentionForward&, float* scratch);
  void (*attention_backward)(const AttentionShape&, const AttentionHead&, const AttentionBackward&, float* scratch);
  /// `rows` rows, from row `first`; the pointers are the whole tensors'.
  void (*residual_norm_forward)(const ResidualNorm&, const ResidualNormForward&, std::int64_t first,
                                std::int64_t rows);
  void (*residual_norm_backward)(const ResidualNorm&, const ResidualNormBackward&, std::int64_t first,
                                 std::int64_t rows);
  const char* name;
};

/// The fastest that this CPU can run.
const LaneKernels& lane_kernels();
/// All that this CPU can run, widest first.
struct LaneKernelList {
  const LaneKernels* kernels[4];
  int count;
};
LaneKernelList usable_lane_kernels();

}  // namespace fixtune::detail
