#include "packed_trial.h"

#include <cstring>

#include "fixtune/core/aligned_buffer.h"

namespace fixtune::detail {
namespace {

/// Products with every code at its limit, digits, edges, tiles that join in 64 bits, and a sparse part.
struct ProductTrial {
  static constexpr Index rows = 19, columns = 35, groups = 70;
  std::int8_t a[rows * groups * 4];
  std::uint8_t panel[groups * panel_group_bytes];
  std::int32_t row_sums[rows] = {}, digit_starts[rows + 1] = {}, digit_sums[rows] = {};
  DigitGroup digits[rows] = {};
  std::uint8_t wide[3] = {0, 1, 0};
  static constexpr Index slots = 5;
  std::int16_t sparse_panel[slots * panel_columns];
  std::int32_t sparse_starts[rows + 1] = {};
  SparseCode sparse_codes[rows * 600];

  ProductTrial() {
    for (Index i = 0; i < rows * groups * 4; ++i) {
      a[i] = static_cast<std::int8_t>(i % 3 == 0 ? 127 : i % 5 == 0 ? -127 : i * 37 % 255 - 127);
      row_sums[i / (groups * 4)] += a[i];
    }
    for (Index i = 0; i < groups * panel_group_bytes; ++i)
      panel[i] = static_cast<std::uint8_t>(i % 4 == 0 ? 255 : i % 7 == 0 ? 1 : 1 + i * 91 % 255);
    for (Index r = 0; r < rows; ++r) {
      digits[r] = {static_cast<std::int32_t>(r % groups), 127 << 8};
      digit_sums[r] = r % 2 == 0 ? 127 : 0;
      digit_starts[r + 1] = digit_starts[r] + (r % 2 == 0 ? 1 : 0);
    }
    for (Index i = 0; i < slots * panel_columns; ++i)
      sparse_panel[i] = static_cast<std::int16_t>(i % 3 == 0 ? -2047 : i * 1021 % 4095 - 2047);
    for (Index r = 0; r < rows; ++r)
      sparse_starts[r + 1] = sparse_starts[r] + static_cast<std::int32_t>(r == 2 ? 600 : r == 9 ? 512 : r % 4);
    for (std::int32_t i = 0; i < sparse_starts[rows]; ++i) sparse_codes[i] = {i % std::int32_t{slots}, -2047};
  }

  struct Result {
    float y[rows * columns], whole[rows * panel_columns], transposed[panel_columns * rows];
    alignas(64) float streamed[rows * panel_columns];
  };
  void run(const PanelKernel& kernel, Result& result) const {
    PanelWork w;
    w.rows = a;
    w.row_stride = groups * 4;
    w.tile_stride = tile_rows * w.row_stride;
    w.group_stride = 4;
    w.row_count = rows;
    w.row_sums = row_sums;
    w.digit_starts = digit_starts;
    w.digits = digits;
    w.digit_sums = digit_sums;
    w.wide_tiles = wide;
    w.unit = 254;
    w.sparse_starts = sparse_starts;
    w.sparse_codes = sparse_codes;
    w.sparse_panel = sparse_panel;
    w.sparse_row_step = 0.3F;
    w.sparse_column_step = 1.7F;
    w.panel = panel;
    w.end = groups;
    w.columns = columns;
    w.y = result.y;
    w.y_stride = columns;
    AlignedBuffer<std::uint8_t> room;
    if (kernel.prepare != nullptr) {
      room.resize_discarding(kernel.prepared_bytes(rows, groups));
      w.prepared = kernel.prepare(w, room.data());
    }
    kernel.run(w);
    // What most tiles are: whole, no sparse part.
    w.sparse_starts = nullptr;
    w.columns = panel_columns;
    w.y = result.whole;
    w.y_stride = panel_columns;
    kernel.run(w);
    w.stream = true;
    w.y = result.streamed;
    kernel.run(w);
    w.stream = false;
    w.transposed = true;
    w.y = result.transposed;
    w.y_stride = rows;
    kernel.run(w);
  }
};

/// Tiles of codes at every value, -128 too, transposed, and their sums.
struct TransposeTrial {
  static constexpr Index tiles = 9, groups = 33, stride = tiles * tile_rows;
  std::int8_t codes[groups * group_codes * stride];

  TransposeTrial() {
    for (Index i = 0; i < Index{sizeof codes}; ++i)
      codes[i] = static_cast<std::int8_t>(i % 3 == 0 ? -128 : i % 5 == 0 ? 127 : i * 37 % 256 - 128);
  }

  struct Result {
    std::int8_t rows[sizeof codes];
    std::int32_t sums[stride];
  };
  void run(const PanelKernel& kernel, Result& result) const {
    TransposeWork w;
    w.codes = codes;
    w.stride = stride;
    w.groups = groups;
    w.tiles = tiles;
    w.out = result.rows;
    w.tile_stride = Index{sizeof codes} / tiles;
    w.sums = result.sums;
    kernel.transpose(w);
  }
};

template <typename Trial>
bool same_results(const Trial& trial, const PanelKernel& one, const PanelKernel& other) {
  typename Trial::Result expected, found;
  std::memset(&expected, 0, sizeof expected);
  std::memset(&found, 0, sizeof found);
  trial.run(one, expected);
  trial.run(other, found);
  return std::memcmp(&expected, &found, sizeof expected) == 0;
}

}  // namespace

bool same_integers(const PanelKernel& one, const PanelKernel& other) {
  static const ProductTrial product;
  static const TransposeTrial transpose;
  return same_results(product, one, other) && same_results(transpose, one, other);
}

}  // namespace fixtune::detail
