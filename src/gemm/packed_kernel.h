#pragma once

#include <cstdint>

#include "transpose_tiles.h"

/// The loops of a packed product, compiled once per instruction set: plain data in and out, no Eigen, no templates of
/// the standard library (see core/multiversion.h).
namespace fixtune::detail {

/// Codes that one dot-product instruction contracts.
inline constexpr std::int64_t group_codes = 4;
/// Columns of one panel of B: `[group][column][4]`, each byte the code plus 128.
inline constexpr std::int64_t panel_columns = 48;
inline constexpr std::int64_t panel_group_bytes = panel_columns * group_codes;
/// Rows that share a pass over a panel.
inline constexpr std::int64_t tile_rows = 8;

/// Outlier digits of one row within one group of four columns, as that group's codes would lie.
struct DigitGroup {
  std::int32_t group;
  std::int32_t codes;
};

/// One code of a row's sparse part, and which line of the sparse panel it multiplies.
struct SparseCode {
  std::int32_t slot;
  std::int32_t code;
};

/// Rows times one panel: `sum[m,n] = sum_k (a[m,k] + unit d[m,k]) b[k,n]` over the groups [begin, end).
struct PanelWork {
  const std::int8_t* rows = nullptr;  ///< row r of tile t, group g: `rows + t*tile_stride + r*row_stride + g*group_stride`
  std::int64_t tile_stride = 0, row_stride = 0, group_stride = 0;
  std::int64_t row_count = 0;
  const std::int32_t* row_sums = nullptr;  ///< sum of a row's codes

  const std::int32_t* digit_starts = nullptr;  ///< row m has digits [starts[m], starts[m+1]); null: none at all
  const DigitGroup* digits = nullptr;
  const std::int32_t* digit_sums = nullptr;  ///< sum of a row's digits
  const std::uint8_t* wide_tiles = nullptr;  ///< tiles whose joined sum may pass int32; null: none
  std::int32_t unit = 0;

  const std::int32_t* sparse_starts = nullptr;  ///< row m has codes [starts[m], starts[m+1]); null: no sparse part
  const SparseCode* sparse_codes = nullptr;     ///< up to 12 bits
  const std::int16_t* sparse_panel = nullptr;   ///< up to 12 bits, `[slot][column]`, 48 columns
  float sparse_row_step = 1.0F, sparse_column_step = 1.0F;

  const std::uint8_t* panel = nullptr;
  std::int64_t begin = 0, end = 0;  ///< groups
  std::int64_t columns = 0;         ///< of the panel that exist

  bool first = true;             ///< else the sums go on from `sums`
  bool last = true;              ///< else they are left in `sums`
  std::int32_t* sums = nullptr;  ///< `[row_count, columns]`, only where not both
  std::int64_t sums_stride = 0;

  const float* row_steps = nullptr;  ///< null: row_step
  float row_step = 1.0F;
  const float* column_steps = nullptr;  ///< null: column_step
  float column_step = 1.0F;
  const float* bias = nullptr;  ///< null: none
  /// `(sum*row_step)*column_step + bias` at [m,n], or [n,m] where transposed; in rows with sparse codes
  /// `+ (sparse_sum*sparse_row_step)*sparse_column_step`.
  float* y = nullptr;
  std::int64_t y_stride = 0;
  bool transposed = false;
  bool add = false;     ///< to what y holds
  bool stream = false;  ///< y, or the sums left: past the caches, where it is aligned and would not be found again

  const void* ask = nullptr;  ///< memory that is read after this work; null: none
  std::int64_t ask_lines = 0;  ///< of 64 bytes

  const void* prepared = nullptr;  ///< what PanelKernel::prepare made of these rows and groups
};

/// A kernel, and how it wants its work.
struct PanelKernel {
  void (*run)(const PanelWork&) = nullptr;
  /// Groups that one call contracts at most, so that what it reads again and again stays in cache.
  std::int64_t most_groups = 1024;
  /// Outputs of so many bytes leave no trace in the caches, and storing past them saves reading what is overwritten.
  std::int64_t streamed_bytes = std::int64_t{8} << 20;
  /// Whether it asks for PanelWork::ask while it multiplies.
  bool asks = false;
  /// Makes of a block's rows, once for all panels, what `run` reads; null: it reads them as they lie. `room` has
  /// prepared_bytes(row_count, groups) and lies on a cache line.
  const void* (*prepare)(const PanelWork&, void* room) = nullptr;
  std::int64_t (*prepared_bytes)(std::int64_t rows, std::int64_t groups) = nullptr;
  /// Makes rows in tiles of codes that are stored by column.
  void (*transpose)(const TransposeWork&) = transpose_tiles_portable;
};

void panel_kernel_portable(const PanelWork& work);
#if defined(__x86_64__)
void panel_kernel_avx2(const PanelWork& work);
const void* prepare_rows_avx2(const PanelWork& work, void* room);
std::int64_t prepared_bytes_avx2(std::int64_t rows, std::int64_t groups);
void panel_kernel_avx_vnni(const PanelWork& work);
void panel_kernel_avx512_vnni(const PanelWork& work);
#endif

}  // namespace fixtune::detail
