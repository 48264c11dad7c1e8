#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace fixtune::bench {

/// Which instructions a peak loop may use at most.
enum class PeakInstructions : std::uint8_t { Best, AvxVnni, Avx2 };

/// A loop of multiply-adds that touches registers only: how fast this CPU could multiply if memory cost nothing.
struct PeakLoop {
  std::string_view format;       ///< INT8, BF16 or FP32
  std::string_view instruction;  ///< as the manual spells it
  double operations_per_turn;    ///< two for each multiply-add
  void (*run)(std::int64_t turns);

  /// Turns of one timing, per thread: about a millisecond.
  static constexpr std::int64_t turns = 250'000;
  /// Runs the loop on all threads.
  void operator()() const;
  /// What all threads do in one call.
  double operations() const;
};

/// The loops that this CPU can run, at most one per format; none on other architectures than x86-64.
std::vector<PeakLoop> peak_loops(PeakInstructions instructions);

}  // namespace fixtune::bench
