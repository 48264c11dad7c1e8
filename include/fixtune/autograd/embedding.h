#pragma once

#include <cstdint>
#include <initializer_list>
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

/// One of the tables of a sum; see embedding().
struct Lookup {
  const Variable& table;              ///< `[vocabulary, hidden]`; must outlive the call
  std::span<const std::int32_t> ids;  ///< rows of the table, one a token; copied
  std::string_view name;              ///< what errors call it
};

/// `y[i,:] = table_0[ids_0[i],:] + table_1[ids_1[i],:] + ...` in one pass, added in this order.
///
/// Throws Error as embedding(), or if there is no table, the tables differ in width or the numbers of ids disagree.
Variable embedding_sum(Tape& tape, std::initializer_list<Lookup> lookups);

}  // namespace fixtune
