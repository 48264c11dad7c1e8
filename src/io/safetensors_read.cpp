#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

#include "fixtune/io/safetensors.h"

namespace fixtune {
namespace {

constexpr std::size_t prefix_bytes = 8;

/// Bytes of one element, or 0 for a type that is unknown.
std::size_t element_bytes(const std::string& dtype) {
  if (dtype == "F64" || dtype == "I64" || dtype == "U64") return 8;
  if (dtype == "F32" || dtype == "I32" || dtype == "U32") return 4;
  if (dtype == "F16" || dtype == "BF16" || dtype == "I16" || dtype == "U16") return 2;
  if (dtype == "I8" || dtype == "U8" || dtype == "BOOL" || dtype == "F8_E4M3" || dtype == "F8_E5M2") return 1;
  return 0;
}

float from_half(std::uint16_t h) {
  const std::uint32_t sign = static_cast<std::uint32_t>(h & 0x8000U) << 16;
  const std::uint32_t exponent = (h >> 10) & 0x1fU;
  const std::uint32_t fraction = h & 0x3ffU;
  if (exponent == 0) {
    const float magnitude = static_cast<float>(fraction) * 0x1p-24F;
    return sign != 0 ? -magnitude : magnitude;
  }
  const std::uint32_t wide = exponent == 31 ? 0xffU : exponent + 112;
  return std::bit_cast<float>(sign | (wide << 23) | (fraction << 13));
}

float from_bfloat(std::uint16_t b) { return std::bit_cast<float>(static_cast<std::uint32_t>(b) << 16); }

void widen(const std::uint8_t* source, Tensor& t, float (*convert)(std::uint16_t)) {
  for (Index i = 0; i < t.size(); ++i) {
    std::uint16_t half = 0;
    std::memcpy(&half, source + 2 * i, sizeof half);
    t.data()[i] = convert(half);
  }
}

std::string what_it_looks_like(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), std::min<std::size_t>(size, 64));
  if (text.starts_with("version https://git-lfs"))
    return "is a git-lfs pointer: the file itself was not fetched";
  if (text.starts_with("<")) return "looks like a web page, not a safetensors file";
  return "is no safetensors file";
}

}  // namespace

SafetensorsFile::SafetensorsFile(std::filesystem::path path) : path_(std::move(path)) {
  map_file();
  try {
    read_header();
  } catch (...) {
    munmap(const_cast<std::uint8_t*>(bytes_), size_);
    throw;
  }
}

SafetensorsFile::~SafetensorsFile() { munmap(const_cast<std::uint8_t*>(bytes_), size_); }

void SafetensorsFile::map_file() {
  const int descriptor = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) fail("{}: {}", path_.string(), std::strerror(errno));
  struct stat status {};
  if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    close(descriptor);
    fail("{}: not a regular file", path_.string());
  }
  size_ = static_cast<std::size_t>(status.st_size);
  if (size_ < prefix_bytes) {
    close(descriptor);
    fail("{}: {} bytes are too few for a safetensors file", path_.string(), size_);
  }
  void* mapped = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor, 0);
  const int error = errno;
  close(descriptor);
  if (mapped == MAP_FAILED) fail("{}: cannot be mapped: {}", path_.string(), std::strerror(error));
  bytes_ = static_cast<const std::uint8_t*>(mapped);
}

void SafetensorsFile::read_header() {
  std::uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, bytes_, sizeof header_bytes);
  if (header_bytes > size_ - prefix_bytes)
    fail("{}: {} (its header would be {} bytes long, the file has {})", path_.string(),
         what_it_looks_like(bytes_, size_), header_bytes, size_);
  const std::string_view text(reinterpret_cast<const char*>(bytes_ + prefix_bytes), header_bytes);
  const Json header = parse_json(text, path_.string());
  if (!header.is_object()) fail("{}: its header is not a JSON object", path_.string());
  data_ = bytes_ + prefix_bytes + header_bytes;
  const std::size_t data_bytes = size_ - prefix_bytes - static_cast<std::size_t>(header_bytes);
  for (const auto& [name, description] : header.items())
    if (name != "__metadata__") add_entry(name, description, data_bytes);
  check_coverage(data_bytes);
}

void SafetensorsFile::add_entry(const std::string& name, const Json& description, std::size_t data_bytes) {
  TensorEntry entry;
  try {
    entry.dtype = description.at("dtype").get<std::string>();
    if (!description.at("shape").is_array()) fail("{}: tensor {} has a bad shape", path_.string(), name);
    for (const Json& extent : description.at("shape")) {
      if (!extent.is_number_unsigned()) fail("{}: tensor {} has a bad shape", path_.string(), name);
      entry.shape.push_back(extent.get<Index>());
    }
    const Json& offsets = description.at("data_offsets");
    if (offsets.size() != 2 || !offsets[0].is_number_unsigned() || !offsets[1].is_number_unsigned())
      fail("{}: tensor {} has bad data_offsets", path_.string(), name);
    entry.begin = offsets[0].get<std::size_t>();
    entry.end = offsets[1].get<std::size_t>();
  } catch (const nlohmann::json::exception& error) {
    fail("{}: tensor {} is badly described: {}", path_.string(), name, error.what());
  }
  std::size_t bytes = element_bytes(entry.dtype);
  if (bytes == 0) fail("{}: tensor {} has unknown type {}", path_.string(), name, entry.dtype);
  for (const Index extent : entry.shape)
    if (extent < 0 || __builtin_mul_overflow(bytes, static_cast<std::size_t>(extent), &bytes))
      fail("{}: tensor {} has a shape too large to address", path_.string(), name);
  if (entry.begin > entry.end || entry.end > data_bytes)
    fail("{}: tensor {} lies outside the file (bytes {} to {} of {})", path_.string(), name, entry.begin, entry.end,
         data_bytes);
  if (entry.end - entry.begin != bytes)
    fail("{}: tensor {} has {} bytes where its shape needs {}", path_.string(), name, entry.end - entry.begin, bytes);
  if (!entries.emplace(name, std::move(entry)).second) fail("{}: tensor {} appears twice", path_.string(), name);
}

void SafetensorsFile::check_coverage(std::size_t data_bytes) const {
  std::vector<std::pair<std::size_t, const std::pair<const std::string, TensorEntry>*>> order;
  for (const auto& entry : entries) order.emplace_back(entry.second.begin, &entry);
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return std::pair(a.first, a.second->second.end) < std::pair(b.first, b.second->second.end);
  });
  std::size_t at = 0;
  for (const auto& [begin, entry] : order) {
    if (begin != at)
      fail("{}: tensor {} {} (it starts at byte {}, the one before ends at {})", path_.string(), entry->first,
           begin < at ? "overlaps another" : "leaves a hole", begin, at);
    at = entry->second.end;
  }
  if (at != data_bytes) fail("{}: {} bytes belong to no tensor", path_.string(), data_bytes - at);
}

Tensor SafetensorsFile::read(const std::string& name) const {
  const auto found = entries.find(name);
  if (found == entries.end()) fail("{}: tensor {} is missing", path_.string(), name);
  const TensorEntry& entry = found->second;
  if (entry.shape.size() > 2)
    fail("{}: tensor {} has {} dimensions; at most 2 are read", path_.string(), name, entry.shape.size());
  const Index cols = entry.shape.empty() ? 1 : entry.shape.back();
  const Index rows = entry.shape.size() == 2 ? entry.shape[0] : 1;
  const std::uint8_t* source = data_ + entry.begin;
  if (entry.dtype != "F32" && entry.dtype != "F16" && entry.dtype != "BF16")
    fail("{}: tensor {} has type {}; F32, F16 and BF16 are read", path_.string(), name, entry.dtype);
  Tensor t(rows, cols);
  if (entry.dtype == "F32") {
    if (!t.empty()) std::memcpy(t.data(), source, t.bytes());
  } else {
    widen(source, t, entry.dtype == "F16" ? from_half : from_bfloat);
  }
  return t;
}

}  // namespace fixtune
