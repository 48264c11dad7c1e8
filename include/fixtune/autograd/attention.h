#pragma once

#include <span>

#include "fixtune/autograd/tape.h"
#include "fixtune/core/random.h"
#include "fixtune/gemm/float_product.h"

namespace fixtune {

struct AttentionOptions {
  Index heads = 1;
  float dropout = 0.0F;   ///< probability that an attention weight is dropped, in [0, 1)
  RandomStream random{};  ///< decides which; element = place of (sentence, head, query, key) in the saved weights
  FloatKind products = FloatKind::FP32;
};

/// Softmax attention of several heads within each sentence of a packed batch.
///
/// Per sentence and head, `P = softmax(Q K^T / sqrt(d))`, `y = dropout(P) V`, d = hidden / heads; q, k, v and y
/// `[tokens, hidden]`. Sentence s has the rows `offsets[s]` to `offsets[s+1] - 1`; tokens of different sentences
/// never meet. Saves q, k, v and P; dropout masks are drawn again, not stored. Throws Error if shapes disagree,
/// heads do not divide hidden, dropout is outside [0, 1), or the offsets do not rise from 0 to tokens.
Variable attention(Tape& tape, const Variable& q, const Variable& k, const Variable& v,
                   std::span<const Index> offsets, const AttentionOptions& options);

}  // namespace fixtune
