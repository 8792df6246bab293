#!/usr/bin/env bash
# Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#
#   experiment.sh PROGRAM DIRECTORY
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d "$2/experiment-XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"
"$1" | diff -u "$here/experiment.txt" - || { echo "experiment: prints something else (- experiment.txt, + real)" >&2; exit 1; }
