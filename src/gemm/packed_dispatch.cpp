#include "packed_dispatch.h"

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <string>

#include "fixtune/gemm/packed_product.h"

namespace fixtune {
namespace {

using detail::PanelKernel;
using detail::PanelWork;

/// In the order of the enumeration.
constexpr PackedKernel slowest_first[] = {PackedKernel::Portable, PackedKernel::Avx2, PackedKernel::Avx512Vnni};

PanelKernel functions_of(PackedKernel kernel) {
#if defined(__x86_64__)
  if (kernel == PackedKernel::Avx2)
    return {detail::panel_kernel_avx2, 256, detail::prepare_rows_avx2, detail::prepared_bytes_avx2};
  if (kernel == PackedKernel::Avx512Vnni) return {detail::panel_kernel_avx512_vnni};
#endif
  static_cast<void>(kernel);
  return {detail::panel_kernel_portable};
}

bool cpu_runs(PackedKernel kernel) {
#if defined(__x86_64__)
  if (kernel == PackedKernel::Avx2) return __builtin_cpu_supports("avx2") != 0;
  if (kernel == PackedKernel::Avx512Vnni)
    return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
           __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512dq") != 0 &&
           __builtin_cpu_supports("avx512vnni") != 0;
#endif
  return kernel == PackedKernel::Portable;
}

/// A product with every code at its limit, digits, edges, tiles that join in 64 bits, and a sparse part.
struct Trial {
  static constexpr Index rows = 19, columns = 35, groups = 70;
  std::int8_t a[rows * groups * 4];
  std::uint8_t panel[groups * detail::panel_group_bytes];
  std::int32_t row_sums[rows] = {}, digit_starts[rows + 1] = {}, digit_sums[rows] = {};
  detail::DigitGroup digits[rows] = {};
  std::uint8_t wide[3] = {0, 1, 0};
  static constexpr Index slots = 5;
  std::int16_t sparse_panel[slots * detail::panel_columns];
  std::int32_t sparse_starts[rows + 1] = {};
  detail::SparseCode sparse_codes[rows * 600];

  Trial() {
    for (Index i = 0; i < rows * groups * 4; ++i) {
      a[i] = static_cast<std::int8_t>(i % 3 == 0 ? 127 : i % 5 == 0 ? -127 : i * 37 % 255 - 127);
      row_sums[i / (groups * 4)] += a[i];
    }
    for (Index i = 0; i < groups * detail::panel_group_bytes; ++i)
      panel[i] = static_cast<std::uint8_t>(i % 4 == 0 ? 255 : i % 7 == 0 ? 1 : 1 + i * 91 % 255);
    for (Index r = 0; r < rows; ++r) {
      digits[r] = {static_cast<std::int32_t>(r % groups), 127 << 8};
      digit_sums[r] = r % 2 == 0 ? 127 : 0;
      digit_starts[r + 1] = digit_starts[r] + (r % 2 == 0 ? 1 : 0);
    }
    for (Index i = 0; i < slots * detail::panel_columns; ++i)
      sparse_panel[i] = static_cast<std::int16_t>(i % 3 == 0 ? -2047 : i * 1021 % 4095 - 2047);
    for (Index r = 0; r < rows; ++r)
      sparse_starts[r + 1] = sparse_starts[r] + static_cast<std::int32_t>(r == 2 ? 600 : r == 9 ? 512 : r % 4);
    for (std::int32_t i = 0; i < sparse_starts[rows]; ++i) sparse_codes[i] = {i % std::int32_t{slots}, -2047};
  }

  void run(const PanelKernel& kernel, float* y) const {
    PanelWork w;
    w.rows = a;
    w.row_stride = groups * 4;
    w.tile_stride = detail::tile_rows * w.row_stride;
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
    w.y = y;
    w.y_stride = columns;
    AlignedBuffer<std::uint8_t> room;
    if (kernel.prepare != nullptr) {
      room.resize_discarding(kernel.prepared_bytes(rows, groups));
      w.prepared = kernel.prepare(w, room.data());
    }
    kernel.run(w);
  }
};

bool gives_the_right_integers(PackedKernel kernel) {
  static const Trial trial;
  float expected[Trial::rows * Trial::columns], found[Trial::rows * Trial::columns];
  trial.run(functions_of(PackedKernel::Portable), expected);
  trial.run(functions_of(kernel), found);
  return std::memcmp(expected, found, sizeof expected) == 0;
}

PackedKernel most_allowed() {
  const char* limit = std::getenv("FIXTUNE_KERNEL");
  if (limit == nullptr || *limit == '\0') return *std::rbegin(slowest_first);
  std::string names;
  for (const PackedKernel kernel : slowest_first) {
    if (name(kernel) == limit) return kernel;
    names.append(names.empty() ? "" : ", ").append(name(kernel));
  }
  fail("FIXTUNE_KERNEL is \"{}\"; it may be one of {}", limit, names);
}

PackedKernel best_kernel() {
  const PackedKernel most = most_allowed();
  for (auto kernel = std::rbegin(slowest_first); kernel != std::rend(slowest_first); ++kernel)
    if (*kernel <= most && cpu_runs(*kernel) && gives_the_right_integers(*kernel)) return *kernel;
  return PackedKernel::Portable;
}

std::atomic<PackedKernel>& chosen() {
  static std::atomic<PackedKernel> kernel{best_kernel()};
  return kernel;
}

}  // namespace

PackedKernel active_packed_kernel() { return chosen(); }

std::string_view name(PackedKernel kernel) {
  switch (kernel) {
    case PackedKernel::Portable:
      return "portable";
    case PackedKernel::Avx2:
      return "avx2";
    case PackedKernel::Avx512Vnni:
      return "avx512_vnni";
  }
  return "unknown";
}

std::vector<PackedKernel> available_packed_kernels() {
  std::vector<PackedKernel> kernels;
  for (const PackedKernel kernel : slowest_first)
    if (cpu_runs(kernel)) kernels.push_back(kernel);
  return kernels;
}

void use_packed_kernel(PackedKernel kernel) {
  if (!cpu_runs(kernel)) fail("this CPU cannot run the {} kernel", name(kernel));
  chosen() = kernel;
}

detail::PanelKernel detail::active_panel_kernel() { return functions_of(chosen()); }

}  // namespace fixtune
