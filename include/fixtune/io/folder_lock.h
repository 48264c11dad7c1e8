#pragma once

#include <filesystem>

namespace fixtune {

/// Holds a folder for this process alone until the object goes; the system lets go for a process that is killed.
class FolderLock {
 public:
  /// Throws Error naming the folder if another process holds it. Where the file system knows no locks, holds nothing.
  explicit FolderLock(const std::filesystem::path& folder);
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  ~FolderLock();

 private:
  int descriptor_ = -1;
};

}  // namespace fixtune
