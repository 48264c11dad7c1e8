#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fixtune/io/json.h"

namespace fixtune {

/// What tells one run from another: options and inputs, under the names a user knows them by.
///
/// A checkpoint is for runs of equal `identity` only. Where `circumstances` (threads, kernels) differ, results may in
/// their last bits, and a notice says so.
struct RunDescription {
  Json identity = Json::object();       ///< options and inputs by name
  Json circumstances = Json::object();  ///< by name
};

/// In what two documents differ, one text a field: "batch-size is 16 there, 32 here".
std::vector<std::string> differences(const Json& there, const Json& here);

/// Throws Error naming `where` and all differences, if there are any.
void require_same_run(const Json& there, const Json& here, std::string_view where);

}  // namespace fixtune
