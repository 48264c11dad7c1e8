#include <functional>
#include <numeric>

#include "fixtune/io/file.h"
#include "fixtune/io/safetensors.h"

namespace fixtune {
namespace {

void require_shape(const NamedTensor& t) {
  const Index elements = std::accumulate(t.shape.begin(), t.shape.end(), Index{1}, std::multiplies<>());
  if (elements != t.tensor->size())
    fail("tensor {} has {} elements where its shape says {}", t.name, t.tensor->size(), elements);
}

std::string header_of(const std::vector<NamedTensor>& tensors) {
  Json header = {{"__metadata__", {{"format", "pt"}}}};
  std::size_t at = 0;
  for (const NamedTensor& t : tensors) {
    require_shape(t);
    if (header.contains(t.name)) fail("tensor {} would be written twice", t.name);
    header[t.name] = {{"dtype", "F32"}, {"shape", t.shape}, {"data_offsets", {at, at + t.tensor->bytes()}}};
    at += t.tensor->bytes();
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  return text;
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, const std::vector<NamedTensor>& tensors) {
  const std::string header = header_of(tensors);
  const std::uint64_t header_bytes = header.size();
  AtomicFile file(path);
  file.write(&header_bytes, sizeof header_bytes);
  file.write(header.data(), header.size());
  for (const NamedTensor& t : tensors) file.write(t.tensor->data(), t.tensor->bytes());
  file.commit();
}

}  // namespace fixtune
