#include "packed_kernel.h"
#include "sparse_sums.h"

namespace fixtune::detail {
namespace {

using Sums = std::int32_t[panel_columns];

void add_group(Sums& acc, const std::uint8_t* group, const std::int8_t* a) {
  for (std::int64_t n = 0; n < panel_columns; ++n) {
    const std::uint8_t* b = group + n * group_codes;
    acc[n] += a[0] * (b[0] - 128) + a[1] * (b[1] - 128) + a[2] * (b[2] - 128) + a[3] * (b[3] - 128);
  }
}

void sum_digits(Sums& acc, const PanelWork& w, std::int64_t row) {
  if (w.digit_starts == nullptr) return;
  for (std::int32_t d = w.digit_starts[row]; d < w.digit_starts[row + 1]; ++d) {
    std::int8_t codes[group_codes];
    __builtin_memcpy(codes, &w.digits[d].codes, sizeof codes);
    add_group(acc, w.panel + w.digits[d].group * panel_group_bytes, codes);
  }
}

void contract(Sums& acc, const PanelWork& w, std::int64_t row) {
  const std::int8_t* codes = w.rows + row / tile_rows * w.tile_stride + row % tile_rows * w.row_stride;
  for (std::int64_t g = w.begin; g < w.end; ++g)
    add_group(acc, w.panel + g * panel_group_bytes, codes + g * w.group_stride);
}

void finish(const Sums& acc, const PanelWork& w, std::int64_t row) {
  Sums digits = {};
  sum_digits(digits, w, row);
  const bool sparse = sparse_count(w, row) != 0;
  float added[panel_columns];
  if (sparse) sparse_part_in_64_bits(w, row, 0, w.columns, added);
  const float row_step = w.row_steps != nullptr ? w.row_steps[row] : w.row_step;
  for (std::int64_t n = 0; n < w.columns; ++n) {
    const std::int64_t sum = acc[n] + std::int64_t{w.unit} * digits[n];
    float y = (static_cast<float>(sum) * row_step) * (w.column_steps != nullptr ? w.column_steps[n] : w.column_step);
    if (w.bias != nullptr) y += w.bias[n];
    if (sparse) y += added[n];
    float& out = w.y[w.transposed ? n * w.y_stride + row : row * w.y_stride + n];
    out = w.add ? out + y : y;
  }
}

}  // namespace

// The specification of the other kernels. It joins every digit in 64 bits at the end, where they may join in 32 bits at
// the start: the same integer.
void panel_kernel_portable(const PanelWork& w) {
  for (std::int64_t row = 0; row < w.row_count; ++row) {
    Sums acc = {};
    if (!w.first)
      for (std::int64_t n = 0; n < w.columns; ++n) acc[n] = w.sums[row * w.sums_stride + n];
    contract(acc, w, row);
    if (w.last) {
      finish(acc, w, row);
      continue;
    }
    for (std::int64_t n = 0; n < w.columns; ++n) w.sums[row * w.sums_stride + n] = acc[n];
  }
}

}  // namespace fixtune::detail
