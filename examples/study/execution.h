#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "study/plan.h"

namespace fixtune::study {

/// Where a study works, and how.
struct ExecutionOptions {
  std::filesystem::path finetune;  ///< the program
  std::filesystem::path models, data, work, results;
  std::vector<std::string> only;  ///< see select()
  double max_hours = 0.0;         ///< 0: no limit
  long checkpoint_every = 100;    ///< steps; 0: no checkpoints
  int threads = 0;                ///< 0: all
  bool keep_models = false;
};

/// The command line of one run.
std::vector<std::string> finetune_command(const StudyPlan& plan, const StudyRun& run, const ExecutionOptions& options);

/// Runs what is missing, one child process after another, and keeps each one's figures. A run that fails is reported
/// and the others go on; SIGINT, SIGTERM and the time limit stop the child, which next time goes on from its checkpoint.
/// Returns 0 where every run has its results, 1 where one failed or is left, 128 + the signal that stopped the study.
int execute(const StudyPlan& plan, const ExecutionOptions& options);

}  // namespace fixtune::study
