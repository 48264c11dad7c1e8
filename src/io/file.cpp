#include "fixtune/io/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <system_error>
#include <vector>

#include "fixtune/core/error.h"

namespace fixtune {
namespace {

constexpr std::string_view partial = ".partial-";

}  // namespace

std::string read_file(const std::filesystem::path& path) {
  std::error_code unreadable;
  if (std::filesystem::is_directory(path, unreadable)) fail("{}: is a folder, not a file", path.string());
  std::ifstream file(path, std::ios::binary);
  if (!file) fail("{}: {}", path.string(), std::strerror(errno));
  std::string content((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (file.bad()) fail("{}: cannot be read", path.string());
  return content;
}

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)) {
  temporary_ = path_;
  temporary_ += partial_suffix();
  descriptor_ = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail_with_errno("cannot be created");
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  close(descriptor_);
  unlink(temporary_.c_str());
}

void AtomicFile::write(const void* data, std::size_t bytes) {
  const char* at = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t written = ::write(descriptor_, at, bytes);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_with_errno("cannot be written");
    at += written;
    bytes -= static_cast<std::size_t>(written);
  }
}

void AtomicFile::commit() {
  if (fsync(descriptor_) != 0) fail_with_errno("cannot be written");
  if (rename(temporary_.c_str(), path_.c_str()) != 0) fail_with_errno("cannot be put in place");
  close(descriptor_);
  descriptor_ = -1;
}

void AtomicFile::fail_with_errno(const char* action) const {
  fail("{}: {}: {}", path_.string(), action, std::strerror(errno));
}

void write_file_atomically(const std::filesystem::path& path, std::string_view content) {
  AtomicFile file(path);
  file.write(content.data(), content.size());
  file.commit();
}

std::string partial_suffix() { return fmt::format("{}{}", partial, getpid()); }

void remove_partials(const std::filesystem::path& folder) {
  std::error_code ignored;
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename();
    const std::size_t at = name.rfind(partial);
    if (at == std::string::npos || at == 0 || at + partial.size() == name.size()) continue;
    if (name.find_first_not_of("0123456789", at + partial.size()) == std::string::npos) found.push_back(entry.path());
  }
  for (const auto& path : found) std::filesystem::remove_all(path, ignored);
}

void create_folders(const std::filesystem::path& folder) {
  if (folder.empty() || std::filesystem::is_directory(folder)) return;
  create_folders(folder.parent_path());
  std::error_code error;
  std::filesystem::create_directory(folder, error);
  if (error) fail("{}: cannot be created: {}", folder.string(), error.message());
  sync_folder(folder.parent_path());
}

void sync_folder(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder.empty() ? "." : folder;
  const int descriptor = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0 && errno == EACCES) return;  // may be written, not read: the sync is left to the system
  if (descriptor < 0) fail("{}: {}", path.string(), std::strerror(errno));
  // Some file systems cannot sync a folder and say so with EINVAL: there is nothing to wait for then.
  const bool synced = fsync(descriptor) == 0 || errno == EINVAL;
  const int error = errno;
  close(descriptor);
  if (!synced) fail("{}: cannot be synced: {}", path.string(), std::strerror(error));
}

}  // namespace fixtune
