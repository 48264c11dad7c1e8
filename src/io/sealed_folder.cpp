#include "fixtune/io/sealed_folder.h"

#include <unistd.h>

#include <map>
#include <system_error>

#include "fixtune/core/error.h"
#include "fixtune/io/checksum.h"
#include "fixtune/io/file.h"
#include "fixtune/io/json.h"

namespace fixtune {
namespace {

constexpr const char* seal_name = "checksums.json";

/// Sizes of what lies in a folder, by name; the seal itself left out.
std::map<std::string, std::uintmax_t> sizes_in(const std::filesystem::path& folder) {
  std::map<std::string, std::uintmax_t> sizes;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().filename() != seal_name) sizes[entry.path().filename()] = entry.file_size();
  return sizes;
}

std::string flaw_against(const Json& seal, const std::filesystem::path& folder, SealCheck check) {
  const auto sizes = sizes_in(folder);
  for (const auto& [name, size] : sizes)
    if (!seal.contains(name)) return name + " does not belong there";
  for (const auto& [name, file] : seal.items()) {
    const auto size = sizes.find(name);
    if (size == sizes.end()) return name + " is missing";
    if (file.at("bytes") != size->second) return name + " has another size";
    if (check == SealCheck::Contents && file.at("checksum") != file_checksum(folder / name))
      return name + " has another checksum";
  }
  return {};
}

}  // namespace

SealedFolder::SealedFolder(std::filesystem::path path) : path_(std::move(path)), temporary_(path_) {
  temporary_ += partial_suffix();
  std::error_code ignored;
  std::filesystem::remove_all(temporary_, ignored);
  create_folders(temporary_);
}

SealedFolder::~SealedFolder() {
  std::error_code ignored;
  if (!temporary_.empty()) std::filesystem::remove_all(temporary_, ignored);
}

void SealedFolder::commit() try {
  Json seal = Json::object();
  for (const auto& [name, size] : sizes_in(temporary_))
    seal[name] = {{"bytes", size}, {"checksum", file_checksum(temporary_ / name)}};
  write_file_atomically(temporary_ / seal_name, seal.dump(2) + "\n");
  sync_folder(temporary_);
  std::filesystem::remove_all(path_);
  std::filesystem::rename(temporary_, path_);
  temporary_.clear();
  sync_folder(path_.parent_path());
} catch (const std::filesystem::filesystem_error& error) {
  fail("{}: cannot be put in place: {}", path_.string(), error.code().message());
}

std::string flaw(const std::filesystem::path& folder, SealCheck check) try {
  return flaw_against(read_json(folder / seal_name), folder, check);
} catch (const Error& error) {
  return error.what();
} catch (const std::exception& error) {
  return fmt::format("{}: {}", seal_name, error.what());
}

}  // namespace fixtune
