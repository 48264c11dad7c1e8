#pragma once

#include <vector>

#include "fixtune/core/aligned_buffer.h"

namespace fixtune {

/// The tokens [first, first + count) of a context.
struct ContextWindow {
  Index first = 0;  ///< its first token, from 0 at the start of the context
  Index count = 0;  ///< tokens; 0 for an empty context
  bool operator==(const ContextWindow&) const = default;  ///< True for the same tokens.
};

/// Windows of at most `room` tokens that cover a context, neighbours sharing `overlap` tokens (transformers' stride;
/// the original BERT's is room - overlap).
///
/// Window i starts at `i * (room - overlap)`; the last is the first to reach the end. A context that fits, or an empty
/// one, is one window. Throws Error where room < 1, or overlap is negative or, for a context that needs several
/// windows, not below room.
std::vector<ContextWindow> context_windows(Index tokens, Index room, Index overlap);

}  // namespace fixtune
