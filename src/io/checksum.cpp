#include "fixtune/io/checksum.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <vector>

#include "fixtune/core/error.h"

namespace fixtune {

std::string file_checksum(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail("{}: {}", path.string(), std::strerror(errno));
  std::vector<char> block(std::size_t{1} << 20);
  std::uint64_t hash = checksum({});
  do {
    file.read(block.data(), static_cast<std::streamsize>(block.size()));
    hash = checksum({block.data(), static_cast<std::size_t>(file.gcount())}, hash);
  } while (file);
  if (file.bad()) fail("{}: cannot be read", path.string());
  return fmt::format("{:016x}", hash);
}

}  // namespace fixtune
