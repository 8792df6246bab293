#!/usr/bin/env bash
# Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#
# Builds Stele and runs its tests. From any directory; installs missing Debian packages first.
#
#   tools/test.sh                     release build: all tests, crash samples, a consumer of the installed tree
#   tools/test.sh --sanitize asan     all tests with AddressSanitizer and UndefinedBehaviorSanitizer
#   tools/test.sh --sanitize tsan     the concurrent parts with ThreadSanitizer
#   --only REGEX                      only tests whose name matches, as in ctest -R
#   -j N                              at most N compilers and tests at a time (default: the processors)
set -euo pipefail

usage() { sed -n '4,10s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }

preset=release
only=()
jobs=$(nproc)
while (($#)); do
  case $1 in
    --sanitize)
      preset=${2-}
      [[ $preset == asan || $preset == tsan ]] || { echo "test.sh: --sanitize takes asan or tsan" >&2; exit 2; }
      shift 2 ;;
    --only)
      [[ -n ${2-} ]] || { echo "test.sh: --only takes a regular expression" >&2; exit 2; }
      only=(--tests-regex "$2")
      shift 2 ;;
    -j)
      [[ ${2-} =~ ^[1-9][0-9]*$ ]] || { echo "test.sh: -j takes a number" >&2; exit 2; }
      jobs=$2
      shift 2 ;;
    -j[1-9]*) jobs=${1#-j}; shift ;;
    -h | --help) usage; exit 0 ;;
    *) echo "test.sh: unknown argument $1" >&2; usage >&2; exit 2 ;;
  esac
done

cd "$(dirname "${BASH_SOURCE[0]}")/.."

part() {  # name, command...
  local name=$1 start=$SECONDS
  shift
  echo "== $preset: $name"
  "$@" || { echo "== $preset: $name FAILED after $((SECONDS - start)) s" >&2; exit 1; }
  echo "== $preset: $name: $((SECONDS - start)) s"
}

configure() {
  mkdir -p "build/$preset"
  cmake --preset "$preset" >"build/$preset/configure.log" 2>&1 || { cat "build/$preset/configure.log"; return 1; }
}

# g++ 12's sanitizers cannot place their shadow memory under some kernels' address randomisation.
fixed_addresses=()
if [[ $preset != release ]] && setarch -R true 2>/dev/null; then fixed_addresses=(setarch -R); fi

part setup tools/setup.sh
part configure configure
part build cmake --build --preset "$preset" --parallel "$jobs"
echo "== $preset: test"
# The last words are ctest's own summary, with its time and its exit status.
exec "${fixed_addresses[@]}" ctest --preset "$preset" --parallel "$jobs" "${only[@]}"
