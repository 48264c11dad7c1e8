#pragma once

#include <filesystem>

#include "../temporary_folder.h"

namespace fixtune::fuzz {

/// The one folder that all inputs of a target go through, in memory where the system has a folder there.
inline const TemporaryFolder& scratch() {
  static const std::filesystem::path memory = "/dev/shm";
  static const TemporaryFolder folder(std::filesystem::is_directory(memory) ? memory
                                                                            : std::filesystem::temp_directory_path());
  return folder;
}

}  // namespace fixtune::fuzz
