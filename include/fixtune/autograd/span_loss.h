#pragma once

#include <cstdint>
#include <span>

#include "fixtune/autograd/tape.h"

namespace fixtune {

/// Cross-entropy of where an answer starts and ends, over the tokens of each window.
///
/// \f[ L = \frac{1}{2n} \sum_s \bigl( \ell_{s0}(a_s) + \ell_{s1}(b_s) \bigr), \qquad
/// \ell_{sc}(p) = \log \sum_t e^{z_{tc}} - z_{o_s + p,\,c}, \f]
/// z the logits, a and b the first and last positions, o the offsets, t over the tokens of window s, n windows, summed
/// in double; logits `[tokens, 2]` (start, end), loss `[1, 1]`, 0 for n = 0. `offsets` are the windows' first tokens
/// and at the end the number of tokens; first and last are positions in the window. Throws Error if the counts differ
/// or a position is outside its window (naming it).
/// Source: Devlin et al. 2019, section 4.2.
Variable span_cross_entropy(Tape& tape, const Variable& logits, std::span<const Index> offsets,
                            std::span<const std::int32_t> first, std::span<const std::int32_t> last);

}  // namespace fixtune
