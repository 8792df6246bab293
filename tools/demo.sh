#!/usr/bin/env bash
# Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#
# Builds Stele and runs its demonstration: this machine's Debian package universe becomes rows,
# documents and events in one database, which is asked, killed in the middle of a second import,
# reopened and counted. From any directory; installs missing Debian packages first.
#
#   tools/demo.sh                     in a fresh directory, removed at the end
#   --dir DIR                         in the new directory DIR, which is kept
#   --keep                            keep the fresh directory
#   --input FILE                      a file of stanzas instead of apt-cache dumpavail
#   --limit N                         only the first N stanzas
#   --seed N                          kill at the same moments again
#   --batch N                         stanzas in one transaction (default 500)
set -euo pipefail

usage() { sed -n '4,14s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }
for argument in "$@"; do
  [[ $argument == -h || $argument == --help ]] && { usage; exit 0; }
done

started_in=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
log=build/release/demo.log

quietly() {  # command...; its output only when it fails
  "$@" >>"$log" 2>&1 || { cat "$log" >&2; exit 1; }
}

tools/setup.sh
mkdir -p build/release
: >"$log"
echo "demo: build (the first time some minutes)"
quietly cmake --preset release
# On a terminal ninja's own progress is the best there is; elsewhere its lines are noise.
if [[ -t 1 ]]; then
  cmake --build --preset release --target stele_demo
else
  quietly cmake --build --preset release --target stele_demo
fi

# A fresh image has no package lists.
has_packages() { [[ -n $(apt-cache dumpavail 2>/dev/null | head -c 1) ]]; }
if [[ " $* " != *" --input"* ]] && command -v apt-cache >/dev/null && ! (set +o pipefail; has_packages); then
  as_root=()
  ((EUID == 0)) || as_root=(sudo)
  echo "demo: apt-get update (there are no package lists yet)"
  quietly "${as_root[@]}" apt-get -q update
fi

# Paths in the arguments are as seen from where the caller stands; a fresh database goes on the disk
# of the build, not into a /tmp that may be memory.
export TMPDIR=${TMPDIR:-$root/build}
cd "$started_in"
exec "$root/build/release/stele_demo" "$@"
