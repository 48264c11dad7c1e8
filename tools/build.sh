#!/usr/bin/env bash
# Installs what is missing and builds the release preset, or only the targets named.
set -euo pipefail
cd "$(dirname "$0")/.."
tools/install_dependencies.sh
# The tests build the library again for outside projects: what was compiled here is then taken from the cache.
export CMAKE_CXX_COMPILER_LAUNCHER="${CMAKE_CXX_COMPILER_LAUNCHER-ccache}"
cmake --preset release > /dev/null
cmake --build --preset release ${1:+--target "$@"}
