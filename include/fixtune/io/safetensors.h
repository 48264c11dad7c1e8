#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "fixtune/core/tensor.h"
#include "fixtune/io/json.h"

namespace fixtune {

/// One tensor of a safetensors file: its type, its shape, and where its bytes lie behind the header.
struct TensorEntry {
  std::string dtype;  ///< as the file writes it: F32, BF16, I64, ...
  std::vector<Index> shape;  ///< any number of dimensions
  std::size_t begin = 0;  ///< of its bytes, from the end of the header on
  std::size_t end = 0;  ///< one past its last byte
};

/// A safetensors file, mapped and checked; nothing is read before it is asked for.
///
/// The header is not trusted: its length, every offset and every shape are checked against the file's size before
/// anything is allocated. Odd but legal files load (zero-size tensors, scalars, any order, unaligned data).
class SafetensorsFile {
 public:
  /// Opens the file. Throws Error naming the file, and the tensor where one is wrong.
  explicit SafetensorsFile(std::filesystem::path path);
  SafetensorsFile(const SafetensorsFile&) = delete;
  SafetensorsFile& operator=(const SafetensorsFile&) = delete;
  ~SafetensorsFile();

  const std::filesystem::path& path() const { return path_; }  ///< As it was opened.
  /// True where the file has a tensor of that name.
  bool contains(const std::string& name) const { return entries.contains(name); }
  /// The tensor as FP32, from F32, F16 or BF16: a vector as `[1, n]`, a scalar as `[1, 1]`.
  /// Throws Error naming file and tensor for another type or more than two dimensions.
  Tensor read(const std::string& name) const;

  std::map<std::string, TensorEntry> entries;  ///< by name

 private:
  void map_file();
  void read_header();
  void add_entry(const std::string& name, const Json& description, std::size_t data_bytes);
  void check_coverage(std::size_t data_bytes) const;

  std::filesystem::path path_;
  const std::uint8_t* bytes_ = nullptr;
  std::size_t size_ = 0;
  const std::uint8_t* data_ = nullptr;
};

/// A tensor to write, under its name and shape.
struct NamedTensor {
  std::string name;  ///< as it will stand in the file
  std::vector<Index> shape;  ///< to be written; as many elements as the tensor has
  const Tensor* tensor = nullptr;  ///< must outlive the writing
};

/// Writes FP32 tensors as a safetensors file with `format: pt`, data starting at a multiple of 8. Atomic.
/// Throws Error naming the file, or a tensor whose shape does not fit it or whose name is taken.
void write_safetensors(const std::filesystem::path& path, const std::vector<NamedTensor>& tensors);

}  // namespace fixtune
