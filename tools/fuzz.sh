#!/usr/bin/env bash
# Fuzzes every reader, MINUTES each (default 15), with AddressSanitizer and UndefinedBehaviorSanitizer; needs Clang 14.
# What breaks a reader is left in build/fuzz/found; corpora grow in build/fuzz/corpus.
set -euo pipefail
cd "$(dirname "$0")/.."
minutes=${1:-15}
shift || true
cmake --preset fuzz > /dev/null
cmake --build --preset fuzz
mkdir -p build/fuzz/found
status=0
for program in build/fuzz/tests/fuzz/fuzz_*; do
  [ -x "$program" ] && [ -f "$program" ] || continue
  target=${program##*/fuzz_}
  [ "$target" = tests ] && continue
  mkdir -p "build/fuzz/corpus/$target"
  echo "== $target"
  "$program" -max_total_time=$((minutes * 60)) -timeout=20 -rss_limit_mb=1024 -malloc_limit_mb=512 -print_final_stats=1 \
    -verbosity=0 -print_funcs=0 -artifact_prefix="build/fuzz/found/$target-" "$@" "build/fuzz/corpus/$target" "tests/fuzz/seeds/$target" || status=1
done
exit $status
