#include "packed_dispatch.h"

#include <atomic>
#include <cstdlib>
#include <iterator>
#include <string>

#include "fixtune/gemm/packed_product.h"
#include "packed_trial.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace fixtune {
namespace {

using detail::PanelKernel;

/// In the order of the enumeration.
constexpr PackedKernel slowest_first[] = {PackedKernel::Portable, PackedKernel::Avx2, PackedKernel::AvxVnni,
                                          PackedKernel::Avx512Vnni};

PanelKernel functions_of(PackedKernel kernel) {
#if defined(__x86_64__)
  if (kernel == PackedKernel::Avx2)
    return {.run = detail::panel_kernel_avx2,
            .most_groups = 256,
            .prepare = detail::prepare_rows_avx2,
            .prepared_bytes = detail::prepared_bytes_avx2};
  if (kernel == PackedKernel::AvxVnni) return {.run = detail::panel_kernel_avx_vnni};
  if (kernel == PackedKernel::Avx512Vnni)
    // It stores past the caches while it multiplies, so that this costs nothing.
    return {.run = detail::panel_kernel_avx512_vnni,
            .streamed_bytes = std::int64_t{4} << 20,
            .asks = true,
            .transpose = detail::transpose_tiles_avx512_vnni};
#endif
  static_cast<void>(kernel);
  return {.run = detail::panel_kernel_portable};
}

#if defined(__x86_64__)
/// Compilers differ in whether they know it by name.
bool cpu_has_avx_vnni() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0 && (eax >> 4 & 1U) != 0;
}
#endif

bool cpu_runs(PackedKernel kernel) {
#if defined(__x86_64__)
  if (kernel == PackedKernel::Avx2) return __builtin_cpu_supports("avx2") != 0;
  if (kernel == PackedKernel::AvxVnni) return __builtin_cpu_supports("avx2") != 0 && cpu_has_avx_vnni();
  if (kernel == PackedKernel::Avx512Vnni)
    return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
           __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512dq") != 0 &&
           __builtin_cpu_supports("avx512vnni") != 0;
#endif
  return kernel == PackedKernel::Portable;
}

bool gives_the_right_integers(PackedKernel kernel) {
  return detail::same_integers(functions_of(PackedKernel::Portable), functions_of(kernel));
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
    case PackedKernel::AvxVnni:
      return "avx_vnni";
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
