#include "fixtune/core/parallel.h"

#include <omp.h>
#include <sched.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <system_error>

#include "core/buffer_pool.h"

namespace fixtune {
namespace {

int cgroup_quota() {
  // cgroup v2: "quota period" in microseconds, or "max period".
  if (std::ifstream file("/sys/fs/cgroup/cpu.max"); file) {
    std::string quota;
    double period = 0;
    if (file >> quota >> period && quota != "max" && period > 0)
      return std::max(1, static_cast<int>(std::ceil(std::stod(quota) / period)));
  }
  return 0;
}

}  // namespace

void restart_with_sleeping_threads(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr) return;
  setenv("GOMP_SPINCOUNT", "10000", 1);
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (!error) execv(self.c_str(), argv);
}

int allowed_cpus() {
  static const int allowed = [] {
    int cpus = omp_get_num_procs();
    if (const int quota = cgroup_quota(); quota > 0) cpus = std::min(cpus, quota);
    return std::max(1, cpus);
  }();
  return allowed;
}

int set_thread_count(int threads) {
  const int count = threads <= 0 ? allowed_cpus() : std::min(threads, allowed_cpus());
  omp_set_num_threads(count);
  return count;
}

int thread_count() { return std::min(omp_get_max_threads(), allowed_cpus()); }

namespace detail {

void run_parallel(Index n, Index grain, void (*body)(void*, Index, Index), void* context) {
  if (n <= 0) return;
  const Index ranges = std::clamp<Index>(n / std::max<Index>(1, grain), 1, thread_count());
  if (ranges == 1 || omp_in_parallel() != 0) {
    body(context, 0, n);
    return;
  }
  std::exception_ptr first_error;
  std::mutex mutex;
  BufferPool* pool = &current_pool();
#pragma omp parallel for schedule(static) num_threads(static_cast<int>(ranges))
  for (Index range = 0; range < ranges; ++range) {
    BufferPool* before = exchange_current_pool(pool);
    try {
      body(context, range * n / ranges, (range + 1) * n / ranges);
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!first_error) first_error = std::current_exception();
    }
    exchange_current_pool(before);
  }
  if (first_error) std::rethrow_exception(first_error);
}

}  // namespace detail
}  // namespace fixtune
