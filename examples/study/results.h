#pragma once

#include <filesystem>

#include "study/plan.h"

namespace fixtune::study {

/// A run's file of results: `{"run": identity, "machine": {...}, "figures": what finetune --json wrote}`.
std::filesystem::path result_file(const std::filesystem::path& folder, const StudyRun& run);

/// Reads a run's results; null where there is no file. Throws Error naming a file that is malformed, of another run, or
/// made with other options or numbers than the plan's.
Json read_result(const StudyPlan& plan, const StudyRun& run, const std::filesystem::path& folder);

/// Keeps the figures of a run that finished. Throws Error where finetune's file is missing or malformed.
void keep_result(const StudyPlan& plan, const StudyRun& run, const std::filesystem::path& figures_file,
                 const std::filesystem::path& folder);

}  // namespace fixtune::study
