#!/usr/bin/env bash
# Installs what is missing, builds, and runs the tests.
set -euo pipefail
cd "$(dirname "$0")/.."
tools/build.sh
ctest --preset release -j "$(nproc)" "$@"
