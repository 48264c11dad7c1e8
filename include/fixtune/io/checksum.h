#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace fixtune {

/// 64-bit FNV-1a: `h = (h ^ byte) * 0x100000001b3` over all bytes. Tells torn and changed content apart; no defence
/// against forgery. Goes on from the `hash` of what came before.
constexpr std::uint64_t checksum(std::string_view bytes, std::uint64_t hash = 0xcbf29ce484222325ULL) {
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3ULL;
  return hash;
}

/// The checksum of a file's content as 16 hexadecimal digits. Throws Error naming the path.
std::string file_checksum(const std::filesystem::path& path);

}  // namespace fixtune
