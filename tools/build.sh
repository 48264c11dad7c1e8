#!/usr/bin/env bash
# Installs what is missing and builds the release preset, or only the targets named.
set -euo pipefail
cd "$(dirname "$0")/.."
tools/install_dependencies.sh
cmake --preset release > /dev/null
cmake --build --preset release ${1:+--target "$@"}
