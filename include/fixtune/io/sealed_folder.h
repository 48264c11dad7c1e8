#pragma once

#include <filesystem>
#include <string>

namespace fixtune {

/// A folder that appears under its name only when complete: filled beside it, sealed with its files' sizes and
/// checksums (checksums.json), synced, then renamed.
class SealedFolder {
 public:
  /// Makes the temporary folder, and folders around it that are missing. Throws Error naming the path.
  explicit SealedFolder(std::filesystem::path path);
  SealedFolder(const SealedFolder&) = delete;
  SealedFolder& operator=(const SealedFolder&) = delete;
  /// Removes the temporary folder unless committed.
  ~SealedFolder();

  /// Where to write the files, each synced by its writer (AtomicFile).
  const std::filesystem::path& temporary() const { return temporary_; }
  /// Seals the folder and puts it under its name. What was there is removed just before: a folder worth keeping
  /// needs another name. Throws Error naming the path.
  void commit();

 private:
  std::filesystem::path path_;
  std::filesystem::path temporary_;
};

/// How thoroughly a seal is checked.
enum class SealCheck {
  Sizes,    ///< every file is there with its size, and none besides
  Contents  ///< and every checksum is right
};

/// What is wrong with a sealed folder ("model.safetensors is missing"), or nothing where it is whole.
std::string flaw(const std::filesystem::path& folder, SealCheck check);

}  // namespace fixtune
