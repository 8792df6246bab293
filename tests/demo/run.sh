#!/usr/bin/env bash
# Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#
#   run.sh STELE_DEMO DIRECTORY
#
# Runs the demonstration on 3,000 stanzas in a fresh directory below DIRECTORY. Input is what apt
# knows; a machine without package lists gets made stanzas.
set -euo pipefail
program=$1
export TMPDIR
TMPDIR=$(mktemp -d "$2/run-XXXXXX")

make_stanzas() {
  awk 'BEGIN { for (i = 1; i <= 3000; ++i) {
    printf "Package: made-%d\nVersion: %d.%d-1\nArchitecture: all\nMaintainer: Maker %d <m%d@example.org>\n", i, i % 9, i, i % 40, i % 40
    printf "Depends: made-%d (>= 0), made-base:any | made-%d (<< 1)\nSize: %d\n", (i * 7) % 3000 + 1, i % 50, i * 100
    if (i % 10 == 0) printf "Provides: made-base (= 1.%d)\nEssential: yes\n", i
    if (i % 100 == 3) printf "Broken line\nDepends: twice\n"
    printf "Description: stanza %d\n of the made ones\n .\n\303\266\n\n", i } }'
}

input=()
# "|| true": head ends first, and a machine without apt-cache is no failure.
if [[ -z $( (apt-cache dumpavail 2>/dev/null || true) | head -c 1 || true) ]]; then
  make_stanzas >"$TMPDIR/stanzas"
  input=(--input "$TMPDIR/stanzas")
fi
# On failure the database stays in TMPDIR.
"$program" --limit 3000 "${input[@]}"
rm -rf "$TMPDIR"
