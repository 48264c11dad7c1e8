#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string_view>

namespace fixtune {

/// JSON whose objects keep the order of the file.
using Json = nlohmann::ordered_json;

/// Parses a whole document. Throws Error naming `where` and the line.
Json parse_json(std::string_view text, std::string_view where);

/// Reads and parses a file. Throws Error naming the file and the line.
Json read_json(const std::filesystem::path& path);

}  // namespace fixtune
