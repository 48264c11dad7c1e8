#include "fixtune/core/parallel.h"

#include <omp.h>
#include <sched.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <optional>
#include <system_error>

#include "core/buffer_pool.h"
#include "core/control_group.h"

namespace fixtune {
namespace {

/// OpenMP counts the CPUs of the affinity mask.
int count_allowed_cpus() {
  int cpus = omp_get_num_procs();
  if (const std::optional<double> quota = detail::cpu_quota(); quota && *quota < cpus)
    cpus = static_cast<int>(std::ceil(*quota));
  return std::max(1, cpus);
}

int& allowed() {
  static int cpus = count_allowed_cpus();
  return cpus;
}

}  // namespace

void restart_with_sleeping_threads(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr) return;
  setenv("GOMP_SPINCOUNT", "10000", 1);
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (!error) execv(self.c_str(), argv);
}

int allowed_cpus() { return allowed(); }

int set_thread_count(int threads) {
  const int count = threads <= 0 ? allowed_cpus() : std::min(threads, allowed_cpus());
  omp_set_num_threads(count);
  return count;
}

int thread_count() { return std::min(omp_get_max_threads(), allowed_cpus()); }

namespace detail {

void assume_allowed_cpus(int cpus) { allowed() = cpus > 0 ? cpus : count_allowed_cpus(); }

void run_parallel(Index n, Index grain, void (*body)(void*, Index, Index), void* context) {
  if (n <= 0) return;
  const Index ranges = std::clamp<Index>(n / std::max<Index>(1, grain), 1, thread_count());
  if (ranges == 1 || omp_in_parallel() != 0) {
    body(context, 0, n);
    return;
  }
  std::exception_ptr first_error;
  std::mutex mutex;
  BufferPool* pool = current_source().pool;
#pragma omp parallel for schedule(static) num_threads(static_cast<int>(ranges))
  for (Index range = 0; range < ranges; ++range) {
    const BufferSource before = exchange_source({pool, range});
    try {
      body(context, range * n / ranges, (range + 1) * n / ranges);
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!first_error) first_error = std::current_exception();
    }
    exchange_source(before);
  }
  if (first_error) std::rethrow_exception(first_error);
}

}  // namespace detail
}  // namespace fixtune
