#!/usr/bin/env bash
# Builds against oneDNN 3.2 (PyPI's build for GCC's OpenMP) instead of the distribution's 2.6, and runs the tests.
set -euo pipefail
cd "$(dirname "$0")/.."
tools/install_dependencies.sh
build=build/onednn3
mkdir -p "$build/wheels"
python3 -m pip download --quiet --no-deps --dest "$build/wheels" \
  onednn-devel-cpu-gomp==2023.2.0 onednn-cpu-gomp==2023.2.0
for wheel in "$build"/wheels/*.whl; do
  python3 -m zipfile -e "$wheel" "$build/unpacked"
done
mkdir -p "$build/oneapi"
cp -r "$build"/unpacked/*.data/data/. "$build/oneapi"
cmake -S . -B "$build/tree" -G Ninja -DCMAKE_BUILD_TYPE=Release -Ddnnl_DIR="$PWD/$build/oneapi/lib/cmake/dnnl" > /dev/null
cmake --build "$build/tree"
# Outside programs find it as they would find any library that lies in no system folder.
export LD_LIBRARY_PATH="$PWD/$build/oneapi/lib" LIBRARY_PATH="$PWD/$build/oneapi/lib"
ctest --test-dir "$build/tree" --output-on-failure -j "$(nproc)" "$@"
