#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace fixtune {

/// The whole content of a file. Throws Error naming the path.
std::string read_file(const std::filesystem::path& path);

/// A file that appears under its name only when complete: written beside it, synced, then renamed.
/// That the new name outlives a power cut takes sync_folder, once after the last of several files.
class AtomicFile {
 public:
  /// Creates the temporary file. Throws Error naming the path.
  explicit AtomicFile(std::filesystem::path path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  /// Removes the temporary file unless committed.
  ~AtomicFile();

  /// Appends. Throws Error naming the path (a full disk, for instance).
  void write(const void* data, std::size_t bytes);
  /// Puts the file under its name, replacing what was there. Throws Error naming the path.
  void commit();

 private:
  [[noreturn]] void fail_with_errno(const char* action) const;

  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;
};

/// Writes a file through AtomicFile: afterwards it is whole, or as it was.
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

/// What this process appends to the name of a file or folder while it is incomplete: ".partial-" and its number.
std::string partial_suffix();
/// Removes incomplete files and folders that killed processes left in a folder; nobody may be writing there.
void remove_partials(const std::filesystem::path& folder);

/// Makes a folder and those around it that are missing, each synced into its parent. Throws Error naming the path.
void create_folders(const std::filesystem::path& folder);

/// Waits until names put into a folder, or taken from it, are on the disk. Throws Error naming the path.
void sync_folder(const std::filesystem::path& folder);

}  // namespace fixtune
