#include "program/layer_names.h"

namespace fixtune::program {

std::vector<std::string> readers_of(std::string_view input) {
  const std::string name(input);
  if (!name.ends_with(".self")) return {name};
  return {name + ".query", name + ".key", name + ".value"};
}

std::string short_layer_name(const std::string& name) {
  constexpr std::string_view front = "encoder.layer.";
  return name.starts_with(front) ? name.substr(front.size()) : name;
}

}  // namespace fixtune::program
