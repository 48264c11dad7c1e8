#!/usr/bin/env bash
# Builds and runs the tests under sanitizers: tools/sanitize.sh [asan] [ubsan] [tsan]; all three without arguments.
# tsan needs Clang 14 and libomp-14-dev: Archer (libarcher.so) tells ThreadSanitizer how OpenMP's threads wait for each other.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- asan ubsan tsan
for preset in "$@"; do
  echo "== $preset"
  cmake --preset "$preset" > /dev/null
  if [ "$preset" = tsan ]; then
    rooms=(core quant gemm linear autograd optim train)
    cmake --build --preset tsan --target "${rooms[@]/%/_tests}"
    for room in "${rooms[@]}"; do
      OMP_TOOL_LIBRARIES=/usr/lib/llvm-14/lib/libarcher.so OMP_NUM_THREADS=4 \
        TSAN_OPTIONS="ignore_noninstrumented_modules=1 suppressions=$PWD/tools/tsan.supp" \
        "build/tsan/tests/$room/${room}_tests" --gtest_brief=1
    done
  else
    cmake --build --preset "$preset"
    ctest --preset "$preset" -j "$(nproc)"
  fi
done
