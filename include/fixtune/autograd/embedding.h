#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "fixtune/autograd/tape.h"

namespace fixtune {

/// Looks up one row of the table per id.
///
/// `y[i,:] = table[ids[i],:]`; table `[vocabulary, hidden]`, y `[ids, hidden]`. Backward:
/// `dtable[ids[i],:] += dy[i,:]`, in the order of i whatever the threads. `name` is what errors call the table.
/// Throws Error, naming the id and its position, if an id is outside the table.
Variable embedding(Tape& tape, const Variable& table, std::span<const std::int32_t> ids, std::string_view name);

}  // namespace fixtune
