#!/usr/bin/env bash
# Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#
# Installs the Debian packages that building and testing Stele needs, and only those that are missing.
# Silent, and without touching the network, when everything is there. Run it, or call it from a script.
set -euo pipefail

packages=(
  # compiler and build
  g++ cmake ninja-build ccache pkg-config
  # the engine
  libsqlite3-dev librocksdb-dev libsimdjson-dev libxxhash-dev libre2-dev libroaring-dev libhnswlib-dev
  # the stele program
  libcli11-dev libfmt-dev
  # tests and benchmarks
  sqlite3 libgtest-dev libbenchmark-dev
)

if ! command -v dpkg-query >/dev/null; then
  echo "setup: not a Debian system; install by hand what is missing of: ${packages[*]}" >&2
  exit 0
fi

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query --show --showformat='${db:Status-Status} ' "$package" 2>/dev/null || true)
  [[ $status == *"installed "* && $status != *"not-installed "* ]] || missing+=("$package")
done
((${#missing[@]})) || exit 0

as_root=()
if ((EUID != 0)); then
  command -v sudo >/dev/null || { echo "setup: missing ${missing[*]}; run as root: apt-get install ${missing[*]}" >&2; exit 1; }
  as_root=(sudo)
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 "$@" </dev/null >>"$log" 2>&1
}

echo "setup: installing ${missing[*]}"
# Package lists on a fresh image are absent or name versions that the mirror no longer has.
if ! apt install --no-install-recommends "${missing[@]}"; then
  apt update && apt install --no-install-recommends "${missing[@]}" || {
    cat "$log" >&2
    echo "setup: could not install ${missing[*]} (see above)" >&2
    exit 1
  }
fi
