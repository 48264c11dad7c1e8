#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>

#include "fixtune/io/json.h"
#include "fixtune/train/fine_tune.h"

namespace fixtune::program {

/// What makes a run resumable: --checkpoint-every, --keep and --resume, checkpoints in OUT/checkpoints, and in
/// OUT/fixtune.json the run that was finished.
class ResumableRun {
 public:
  void add_options(CLI::App& app);
  /// Whether the run is to be saved at all.
  bool is_wanted() const { return options_.every > 0 || options_.resume; }
  /// Says where the run is saved, and which run it is; to be called if it is wanted.
  void begin(const std::filesystem::path& out, RunDescription run);
  /// True if OUT already holds what the run would write, and its checkpoints are gone. Throws Error where it is another
  /// run's.
  bool is_finished() const;
  const CheckpointOptions& options() const { return options_; }
  /// Ends the program after a signal stopped the run, saying what is kept.
  [[noreturn]] void stop() const;
  /// Puts the record of a finished run, the last of its files, into OUT; with --keep 0 the checkpoints go.
  void finish(const std::filesystem::path& out, Json record) const;

 private:
  CheckpointOptions options_;
};

/// Checksums of the files that a model is read from, by name.
Json model_checksums(const std::filesystem::path& folder);

}  // namespace fixtune::program
