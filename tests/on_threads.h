#pragma once

#include "fixtune/core/parallel.h"

namespace fixtune {

/// While it lives, work runs on so many threads, be the CPUs fewer.
class OnThreads {
 public:
  explicit OnThreads(int threads) {
    detail::assume_allowed_cpus(threads);
    set_thread_count(threads);
  }
  ~OnThreads() {
    detail::assume_allowed_cpus(0);
    set_thread_count(0);
  }
  OnThreads(const OnThreads&) = delete;
  OnThreads& operator=(const OnThreads&) = delete;
};

}  // namespace fixtune
