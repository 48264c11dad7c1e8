#pragma once

#include <filesystem>
#include <optional>

#include "fixtune/core/log.h"
#include "fixtune/io/folder_lock.h"
#include "fixtune/optim/adamw.h"
#include "fixtune/train/run_description.h"
#include "fixtune/train/training_state.h"

namespace fixtune {

/// The checkpoints of one run: folders `step-00000120` and at its end `finished`, each with the weights and the
/// optimiser's moments as safetensors, the rest as JSON, and checksums of all.
///
/// A checkpoint appears under its name when complete, older ones go after that, and a torn or damaged one is passed
/// over. What else lies in the folder is left alone. Between two calls of a run the disk holds at most `keep`
/// checkpoints, while one is being saved one more.
class CheckpointFolder {
 public:
  /// Makes the folder, locks it against other processes and removes what killed ones left incomplete. At least one
  /// checkpoint is kept whatever `keep` says. Throws Error naming the folder.
  CheckpointFolder(std::filesystem::path folder, RunDescription run, Index keep, LogCallback log = {});

  /// The newest whole checkpoint; a notice names every newer one that is not, and why.
  std::optional<std::filesystem::path> newest() const;

  /// Saves parameters, moments and state. Throws Error naming the file that cannot be written; checkpoints saved before
  /// are still there then.
  void save(const AdamW& optimizer, const TrainingState& state, bool finished);

  /// Reads a checkpoint into the optimiser and its parameters. Throws Error naming the options in which it belongs to
  /// another run, or the file or tensor that does not fit; parameters are to be read anew then.
  TrainingState load(const std::filesystem::path& checkpoint, AdamW& optimizer) const;

 private:
  void remove_old(Index newest, bool and_newer) const;

  std::filesystem::path folder_;
  FolderLock lock_;
  RunDescription run_;
  Index keep_;
  LogCallback log_;
};

/// True if a folder holds a checkpoint, whole or not.
bool has_checkpoints(const std::filesystem::path& folder);

/// Removes all checkpoints of a folder, and the folder where nothing else lies in it.
void remove_checkpoints(const std::filesystem::path& folder);

}  // namespace fixtune
