#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

/// What is fuzzed: each target hands arbitrary bytes to one reader.
///
/// A reader may refuse them with Error; any other exception, a crash, or memory past what the bytes warrant is a bug.
/// The same functions run under libFuzzer (driver.cpp) and over the seeds in the tests (replay_test.cpp).
namespace fixtune::fuzz {

using Bytes = std::span<const std::uint8_t>;

void safetensors(Bytes bytes);
void config(Bytes bytes);
void vocabulary(Bytes bytes);
void tokenizer_json(Bytes bytes);
void wordpiece(Bytes bytes);
void table(Bytes bytes);
void glue(Bytes bytes);
void recipe(Bytes bytes);
void squad(Bytes bytes);
void checkpoint(Bytes bytes);

struct Target {
  std::string_view name;
  void (*run)(Bytes);
};
inline constexpr Target targets[] = {
    {"safetensors", safetensors}, {"config", config}, {"vocabulary", vocabulary}, {"tokenizer_json", tokenizer_json},
    {"wordpiece", wordpiece},     {"table", table},   {"glue", glue},             {"recipe", recipe},
    {"squad", squad},             {"checkpoint", checkpoint}};

inline std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace fixtune::fuzz
