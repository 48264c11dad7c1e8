#pragma once

#include <cstdint>

namespace fixtune {

/// What a random number belongs to. Equal keys give equal numbers, whatever the threads.
struct RandomKey {
  std::uint64_t seed = 0;  ///< of the run
  std::uint64_t step = 0;  ///< optimiser steps before this one
  std::uint64_t micro_batch = 0;  ///< within the step
};

/// Bijective 32-bit mixer (constants: Wellons, "hash prospector", lowbias32). Always inlined, so that each copy of a
/// multiversioned loop has its own.
[[gnu::always_inline]] constexpr std::uint32_t mix32(std::uint32_t x) {
  x ^= x >> 16;
  x *= 0x7feb352dU;
  x ^= x >> 15;
  x *= 0x846ca68bU;
  x ^= x >> 16;
  return x;
}

/// Bijective 64-bit mixer (constants: Steele, Lea and Flood, SplitMix64).
constexpr std::uint64_t mix64(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

/// FNV-1a of a tensor's name: its id as a random stream.
constexpr std::uint64_t tensor_id(const char* name) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (; *name != '\0'; ++name) hash = (hash ^ static_cast<unsigned char>(*name)) * 0x100000001b3ULL;
  return hash;
}

/// Counter-based generator: `bits(i)` is a pure function of (key, tensor id, i).
///
/// Two rounds of mix32 over the element number, each keyed by 32 bits of the hashed key; vectorisable, no state.
class RandomStream {
 public:
  constexpr RandomStream() = default;
  /// The stream of that key and tensor, as tensor_id() numbers it.
  constexpr RandomStream(const RandomKey& key, std::uint64_t id) {
    const std::uint64_t hash = mix64(mix64(mix64(mix64(key.seed) ^ key.step) ^ key.micro_batch) ^ id);
    low_ = static_cast<std::uint32_t>(hash);
    high_ = static_cast<std::uint32_t>(hash >> 32);
  }
  /// 32 random bits of element `i`.
  constexpr std::uint32_t bits(std::uint64_t i) const {
    const auto lower = static_cast<std::uint32_t>(i);
    const auto upper = static_cast<std::uint32_t>(i >> 32);
    return mix32(mix32(lower ^ low_) + (high_ ^ (upper * 0x9e3779b9U)));
  }
  /// Uniform in [0, 1) with 24 bits, exact in FP32.
  constexpr float uniform(std::uint64_t i) const {
    return static_cast<float>(static_cast<std::int32_t>(bits(i) >> 8)) * 0x1p-24F;
  }
  /// Number `j` of the low-discrepancy sequence that begins at element `first`, between -1/2 and 1/2 with 24 bits: steps
  /// of the golden section from a random start, `frac(bits(first) / 2^32 + j phi) - 1/2` but for a half turn. Each number
  /// alone is uniform; those of neighbours spread evenly, so that sums over a sequence come out nearer to their means.
  constexpr float dither(std::uint64_t first, std::uint32_t j) const {
    return static_cast<float>(static_cast<std::int32_t>(bits(first) + j * golden_section)) * 0x1p-32F;
  }
  /// 2^32 / phi, odd.
  static constexpr std::uint32_t golden_section = 0x9e3779b9U;
  /// Half of the stream's state, for kernels that compute its numbers themselves.
  constexpr std::uint32_t low() const { return low_; }
  constexpr std::uint32_t high() const { return high_; }  ///< The other half.

 private:
  std::uint32_t low_ = 0;
  std::uint32_t high_ = 0;
};

}  // namespace fixtune
