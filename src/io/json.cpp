#include "fixtune/io/json.h"

#include <algorithm>

#include "fixtune/core/error.h"
#include "fixtune/io/file.h"

namespace fixtune {

Json parse_json(std::string_view text, std::string_view where) {
  try {
    return Json::parse(text);
  } catch (const nlohmann::json::parse_error& error) {
    const auto until = text.begin() + static_cast<std::ptrdiff_t>(std::min(error.byte, text.size()));
    fail("{}:{}: malformed JSON: {}", where, 1 + std::count(text.begin(), until, '\n'), error.what());
  } catch (const nlohmann::json::exception& error) {
    // A number too large, for instance; the library does not say where.
    fail("{}: malformed JSON: {}", where, error.what());
  }
}

Json read_json(const std::filesystem::path& path) { return parse_json(read_file(path), path.string()); }

}  // namespace fixtune
