#!/usr/bin/env bash
# Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#
#   session.sh README STELE DIRECTORY
#
# In README's console blocks a line "$ command", with lines "> more" when it is a here-document up to
# END, is followed by what it prints. The commands are run in order in a fresh directory.
set -euo pipefail
readme=$1 stele=$2
work=$(mktemp -d "$3/session-XXXXXX")
trap 'rm -rf "$work"' EXIT

awk '$0 == "```console" { on = 1; next } $0 == "```" { on = 0 } on' "$readme" >"$work/shown"
[[ -s $work/shown ]] || { echo "hello: README.md has no console block" >&2; exit 1; }
mkdir "$work/bin"
ln -s "$stele" "$work/bin/stele"
export PATH=$work/bin:$PATH
cd "$work"
command=
run() {
  bash -c "$command" </dev/null >>real
}
while IFS= read -r line; do
  case $line in
    '$ '*) command=${line#\$ } ;;
    '> '*) command+=$'\n'${line#> } ;;
    *) continue ;;
  esac
  printf '%s\n' "$line" >>real
  [[ $command == *'<<END'* && $command != *$'\nEND' ]] || run
done <shown
diff -u shown real || { echo "hello: README.md does not show what comes out (- README, + real)" >&2; exit 1; }
