#!/usr/bin/env bash
# Installs what fixtune builds with, from the distribution's packages, where it is missing.
# Debian 12 is tested, Debian 13 was; Ubuntu 24.04 has the same package names and is untested.
set -euo pipefail

packages=(g++ cmake ninja-build libeigen3-dev libfmt-dev libdnnl-dev ocl-icd-opencl-dev nlohmann-json3-dev
          libcli11-dev libicu-dev libgtest-dev libgmock-dev libbenchmark-dev pkg-config ccache doxygen python3 python3-pip)

missing=()
for package in "${packages[@]}"; do
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then exit 0; fi

echo "installing: ${missing[*]}"
as_root=()
if [ "$(id -u)" -ne 0 ]; then as_root=(sudo); fi
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
