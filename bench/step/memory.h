#pragma once

#include <string>

#include "program/closing_table.h"
#include "step/options.h"

namespace fixtune::bench {

inline constexpr double mebibyte = 1048576.0;

/// Peak memory of a few steps of each recipe and rival, a process each.
ClosingTable memory_table(const StepOptions& options);
/// What memory_table asks of this program in a process of its own: a few steps, then one line of JSON.
void report_memory_of(const StepOptions& options, const std::string& recipe);

/// Memory that one process holds over many steps; printed on the way.
ClosingTable resident_table(const StepOptions& options);

}  // namespace fixtune::bench
