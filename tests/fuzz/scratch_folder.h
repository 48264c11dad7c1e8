#pragma once

#include <filesystem>
#include <string_view>

namespace fixtune::fuzz {

/// A folder of this process, in memory where the system has one there; removed when the program ends.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  /// Writes a file in it, replacing what was there, and returns its path.
  std::filesystem::path write(std::string_view name, std::string_view content) const;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// The one folder that all inputs of a target go through.
const ScratchFolder& scratch();

}  // namespace fixtune::fuzz
