#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fixtune::program {

/// The linear layers that read an input, as a pass's input observer names it: of "X.self", which Q, K and V share, those
/// three; else the one of that name.
std::vector<std::string> readers_of(std::string_view input);

/// "encoder.layer.3.output.dense" as "3.output.dense", for tables.
std::string short_layer_name(const std::string& name);

}  // namespace fixtune::program
