#pragma once

#include <span>

#include "fixtune/autograd/kept.h"
#include "fixtune/autograd/tape.h"
#include "fixtune/core/random.h"
#include "fixtune/gemm/float_product.h"

namespace fixtune {

/// Heads, dropout and precision of attention().
struct AttentionOptions {
  Index heads = 1;        ///< that share the columns, hidden / heads each
  float dropout = 0.0F;   ///< probability that an attention weight is dropped, in [0, 1)
  RandomStream random{};  ///< decides which; element = (row of the weights over sentences and heads) * 2^32 + key
  FloatKind products = FloatKind::FP32;  ///< BF16: operands rounded to it, sums in FP32
  Kept kept = Kept::FP32;  ///< precision of the q, k and v that the backward step reads
};

/// Softmax attention of several heads within each sentence of a packed batch.
///
/// Per sentence and head,
/// \f[ P = \operatorname{softmax}\bigl(Q K^T / \sqrt d\,\bigr), \qquad y = \operatorname{dropout}(P)\, V, \f]
/// softmax along each row, d = hidden / heads; q, k, v and y `[tokens, hidden]`. Sentence s has the rows `offsets[s]`
/// to `offsets[s+1] - 1`; tokens of different sentences never meet. Saves q, k and v, and of each row of P its largest
/// score and its inverse sum, from which the backward step computes P again (as Dao et al. 2022, FlashAttention);
/// dropout masks are drawn again too. FP32 products multiply and add in one rounding where the CPU has AVX2, in two
/// where it has not; BF16 ones take pairs where it has AVX512-BF16 at full speed (AMD), and denormals as zero there.
/// Throws Error if shapes disagree, heads do not divide hidden, dropout is outside [0, 1), or the offsets do not rise
/// from 0 to tokens.
Variable attention(Tape& tape, const Variable& q, const Variable& k, const Variable& v,
                   std::span<const Index> offsets, const AttentionOptions& options);

}  // namespace fixtune
