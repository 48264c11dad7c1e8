#pragma once

#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>

#include "fixtune/io/table.h"

namespace fixtune {

/// Where the column of that name stands. Throws Error naming the file and its columns if there is none, or several.
std::size_t column_index(const Table& table, std::string_view column, const std::string& path);

/// The finite number that is the whole of `text`, whatever the locale.
inline std::optional<float> finite_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  const auto number = static_cast<float>(value);
  return std::isfinite(number) ? std::optional(number) : std::nullopt;
}

}  // namespace fixtune
