#pragma once

#include <algorithm>
#include <cstdint>
#include <exception>

#include "fixtune/core/aligned_buffer.h"

namespace fixtune {

/// CPUs this process may use: the least of its affinity mask and the quotas of its control groups and those above them
/// (a fraction counts as one CPU more), at least 1.
int allowed_cpus();

/// Sets how many threads parallel_for and the products use from this thread on; never more than
/// allowed_cpus(). 0 means all of them. Returns the number in force.
int set_thread_count(int threads);

/// To be called first in `main`: starts this program again with idle threads that soon sleep, unless the environment
/// already says how they wait (OMP_WAIT_POLICY or GOMP_SPINCOUNT).
///
/// OpenMP's idle threads spin by default, and beside any other busy process a product then waits for whole time slices:
/// steps ten times slower were seen. The runtime reads the variable before main. Where starting again is impossible the
/// program goes on as it is.
void restart_with_sleeping_threads(char** argv);

/// Threads that parallel_for uses from this thread.
int thread_count();

namespace detail {
/// For tests: takes this for allowed_cpus(), so that more threads than CPUs can be seen to give the same bits; 0 asks the
/// system again.
void assume_allowed_cpus(int cpus);
/// Runs body(context, begin, end) over [0, n) in contiguous ranges of at least `grain`; rethrows the first error.
void run_parallel(Index n, Index grain, void (*body)(void*, Index, Index), void* context);
}  // namespace detail

/// Calls `body(begin, end)` over disjoint ranges that cover [0, n).
///
/// `grain` is the least work worth a thread. The ranges depend on the thread count, so a body must not reduce
/// across elements: reductions go per row, or over a fixed partition.
template <typename Body>
void parallel_for(Index n, Index grain, Body&& body) {
  detail::run_parallel(
      n, grain,
      [](void* context, Index begin, Index end) {
        (*static_cast<std::remove_reference_t<Body>*>(context))(begin, end);
      },
      const_cast<void*>(static_cast<const void*>(&body)));
}

}  // namespace fixtune
