#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fixtune/io/safetensors.h"

namespace fixtune {

/// The tensors of a Hugging Face BERT folder under their standard names, whatever the folder calls them.
///
/// Accepts `bert.` or no prefix, gamma/beta for weight/bias of layer norms, one file or shards with an index.
/// What BERT does not read (position_ids, `cls.` heads) is ignored. Throws Error naming file and tensor.
class TensorSource {
 public:
  /// Opens model.safetensors, or the shards of model.safetensors.index.json. A missing shard is refused by name.
  explicit TensorSource(const std::filesystem::path& folder);

  /// Whether the folder has a tensor of that standard name.
  bool contains(const std::string& name) const { return places_.contains(name); }
  /// Length of the tensor's first dimension. Throws std::out_of_range where contains() is false.
  Index rows(const std::string& name) const;
  /// The tensor as FP32, with the shape it must have; a NaN or infinity in it is refused.
  Tensor read(const std::string& name, Index rows, Index cols) const;

 private:
  struct Place {
    const SafetensorsFile* file = nullptr;
    std::string stored_name;
  };
  void add_file(const std::filesystem::path& path);

  std::filesystem::path folder_;
  std::vector<std::unique_ptr<SafetensorsFile>> files_;
  std::map<std::string, Place> places_;
};

/// The standard name of a stored tensor: `bert.` removed, gamma/beta spelt weight/bias.
std::string standard_name(const std::string& stored);

}  // namespace fixtune
