#!/usr/bin/env bash
# Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#
#   run.sh README HELLO DIRECTORY
#
# README's first C++ block is hello.cpp without its license line; the text block after it is what
# the program prints in a fresh directory.
set -euo pipefail
readme=$1 hello=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d "$3/run-XXXXXX")
trap 'rm -rf "$work"' EXIT

block() {  # language: the first fenced block of it
  awk -v fence='```'"$1" '$0 == fence && !done { on = 1; next } on && $0 == "```" { on = 0; done = 1 } on' "$readme"
}
same() {  # what, expected, actual
  diff -u "$2" "$3" || { echo "hello: README.md does not show $1 (- README, + real)" >&2; exit 1; }
}

block cpp >"$work/shown.cpp"
tail -n +2 "$here/hello.cpp" >"$work/real.cpp"
same "tests/hello/hello.cpp" "$work/shown.cpp" "$work/real.cpp"

block text >"$work/shown.txt"
(cd "$work" && "$hello") >"$work/real.txt"
same "what hello prints" "$work/shown.txt" "$work/real.txt"
