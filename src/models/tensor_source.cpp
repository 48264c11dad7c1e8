#include "fixtune/models/tensor_source.h"

#include <set>

#include "fixtune/io/json.h"
#include "fixtune/quant/fixed_point_tensor.h"

namespace fixtune {
namespace {

bool replace_suffix(std::string& name, std::string_view suffix, std::string_view replacement) {
  if (!name.ends_with(suffix)) return false;
  name.replace(name.size() - suffix.size(), suffix.size(), replacement);
  return true;
}

std::set<std::string> shard_names(const std::filesystem::path& index) {
  const Json document = read_json(index);
  if (!document.is_object() || !document.contains("weight_map") || !document.at("weight_map").is_object())
    fail("{}: no weight_map object", index.string());
  std::set<std::string> shards;
  for (const auto& [tensor, shard] : document.at("weight_map").items()) {
    if (!shard.is_string()) fail("{}: the shard of tensor {} is not a string", index.string(), tensor);
    const auto name = shard.get<std::string>();
    if (std::filesystem::path(name).filename() != name || name == "..")
      fail("{}: shard {} is not a file name", index.string(), name);
    shards.insert(name);
  }
  return shards;
}

}  // namespace

std::string standard_name(const std::string& stored) {
  std::string name = stored.starts_with("bert.") ? stored.substr(5) : stored;
  if (!replace_suffix(name, "LayerNorm.gamma", "LayerNorm.weight"))
    replace_suffix(name, "LayerNorm.beta", "LayerNorm.bias");
  return name;
}

TensorSource::TensorSource(const std::filesystem::path& folder) : folder_(folder) {
  const auto single = folder / "model.safetensors";
  const auto index = folder / "model.safetensors.index.json";
  if (std::filesystem::exists(single)) {
    add_file(single);
  } else if (std::filesystem::exists(index)) {
    for (const std::string& shard : shard_names(index)) {
      if (!std::filesystem::exists(folder / shard))
        fail("{}: shard {} is missing", index.string(), (folder / shard).string());
      add_file(folder / shard);
    }
  } else {
    fail("{}: no model.safetensors and no model.safetensors.index.json", folder.string());
  }
}

void TensorSource::add_file(const std::filesystem::path& path) {
  const SafetensorsFile& file = *files_.emplace_back(std::make_unique<SafetensorsFile>(path));
  for (const auto& [stored, entry] : file.entries) {
    const auto [place, added] = places_.try_emplace(standard_name(stored), Place{&file, stored});
    if (!added)
      fail("{}: tensors {} and {} are the same parameter", path.string(), place->second.stored_name, stored);
  }
}

Index TensorSource::rows(const std::string& name) const {
  const Place& place = places_.at(name);
  const auto& shape = place.file->entries.at(place.stored_name).shape;
  if (shape.empty()) fail("{}: tensor {} is a scalar", folder_.string(), place.stored_name);
  return shape[0];
}

Tensor TensorSource::read(const std::string& name, Index rows, Index cols) const {
  const auto place = places_.find(name);
  if (place == places_.end()) fail("{}: tensor {} is missing", folder_.string(), name);
  Tensor tensor = place->second.file->read(place->second.stored_name);
  const std::string where = place->second.file->path().string();
  if (tensor.rows() != rows || tensor.cols() != cols)
    fail("{}: tensor {} has shape [{}, {}], config.json asks for [{}, {}]", where, place->second.stored_name,
         tensor.rows(), tensor.cols(), rows, cols);
  if (!(max_magnitude(tensor.data(), tensor.size()) < std::numeric_limits<float>::infinity()))
    fail("{}: tensor {} holds NaN or infinity", where, place->second.stored_name);
  return tensor;
}

}  // namespace fixtune
