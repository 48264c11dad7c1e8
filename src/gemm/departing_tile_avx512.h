#pragma once

#include <cstdint>

#include "packed_kernel.h"

// For kernel files only: each keeps its own copy.

namespace fixtune::detail {
namespace {

/// A finished tile on its way past the caches: 24 lines at once fill the CPU's write buffers, and it waits; so they leave
/// one by one between the products of the next tile.
class DepartingTile {
 public:
  static constexpr std::int64_t line_bytes = 64, line_values = 16;
  static constexpr std::int64_t lines_of_row = panel_columns / line_values;
  static constexpr std::int64_t lines = tile_rows * lines_of_row;

  /// `[tile_rows][panel_columns]`, or the bits of integers; to be filled, then `begin`.
  alignas(line_bytes) float rows[tile_rows * panel_columns];

  /// Rows go to y, `stride` values apart; y and the rows' ends lie on cache lines.
  void begin(void* y, std::int64_t stride) {
    y_ = static_cast<char*>(y);
    stride_ = stride;
    line_ = 0;
  }

  bool waits() const { return y_ != nullptr; }

  // A register by name: to the compiler it does not compete with the sums, which it would rather spill.
  void send_line() {
    using Line = char[line_bytes];
    const std::int64_t value = line_ / lines_of_row * stride_ + line_ % lines_of_row * line_values;
    asm volatile("vmovaps %1, %%zmm31\n\tvmovntps %%zmm31, %0"
                 : "=m"(*reinterpret_cast<Line*>(y_ + std::int64_t{sizeof(float)} * value))
                 : "m"(*reinterpret_cast<const Line*>(rows + line_ * line_values))
                 : "xmm31");
    ++line_;
  }

  /// To be called when all lines are sent.
  void end() { y_ = nullptr; }

  void send_rest() {
    if (!waits()) return;
    while (line_ < lines) send_line();
    end();
  }

 private:
  char* y_ = nullptr;  ///< null: nothing departs
  std::int64_t stride_ = 0;
  std::int64_t line_ = 0;
};

}  // namespace
}  // namespace fixtune::detail
