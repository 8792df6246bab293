#!/usr/bin/env bash
# Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#
# Runs the crash and isolation tests at length and prints what was done and found. Exits with 1 when anything was found, and
# then says how to see it again.
#
#   tools/prove.sh [--quick|--long] [what…]
#     --quick      as ctest does, about two minutes
#     (neither)    about a quarter of an hour
#     --long       hours
#   what: steps kill_random consumers vectors power planted faults isolation; default: all
#   --seed N       instead of a random one
#   --build DIR    an existing build directory (default: build/release, made when missing)
set -euo pipefail

usage() { sed -n '3,14s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }

length=normal
seed=$((RANDOM * 32768 + RANDOM))
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$root/build/release
goals=()
while (($#)); do
  case $1 in
    --quick | --long) length=${1#--}; shift ;;
    --seed)
      [[ ${2-} =~ ^[0-9]+$ ]] || { echo "prove.sh: --seed takes a number" >&2; exit 2; }
      seed=$2
      shift 2 ;;
    --build)
      [[ -d ${2-} ]] || { echo "prove.sh: --build takes a build directory" >&2; exit 2; }
      build=$(cd "$2" && pwd)
      shift 2 ;;
    steps | kill_random | consumers | vectors | power | planted | faults | isolation) goals+=("$1"); shift ;;
    -h | --help) usage; exit 0 ;;
    *) echo "prove.sh: unknown argument $1" >&2; usage >&2; exit 2 ;;
  esac
done
((${#goals[@]})) || goals=(steps kill_random consumers vectors power planted faults isolation)

# Arguments of the harness, by goal and length.
declare -A plan=(
  [steps.quick]="steps --seeds 2"
  [steps.normal]="steps --seeds 3 --every-recovery-step 1"
  [steps.long]="steps --seeds 40 --every-recovery-step 1"
  [kill_random.quick]="kill_random --cycles 40"
  [kill_random.normal]="kill_random --cycles 600"
  [kill_random.long]="kill_random --cycles 20000"
  [consumers.quick]="consumers --cycles 15"
  [consumers.normal]="consumers --cycles 200"
  [consumers.long]="consumers --cycles 5000"
  [vectors.quick]="vectors --cycles 15"
  [vectors.normal]="vectors --cycles 200"
  [vectors.long]="vectors --cycles 5000"
  [power.quick]="power --images 80 --planted 0"
  [power.normal]="power --images 3000 --planted 0"
  [power.long]="power --images 100000 --planted 0"
  [planted.quick]="power --images 0 --planted 1"
  [planted.normal]="power --images 0 --planted 1"
  [planted.long]="power --images 0 --planted 1 --bound 4000"
  [faults.quick]="faults --every 13"
  [faults.normal]="faults --every 3"
  [faults.long]="faults --every 1 --all-modes 1"
  [isolation.quick]="--transactions 5000"
  [isolation.normal]="--transactions 100000"
  [isolation.long]="--transactions 5000000"
)

if [[ ! -f $build/build.ninja ]]; then
  "$root/tools/setup.sh"
  (cd "$root" && cmake --preset release >/dev/null)
fi
targets=()
[[ " ${goals[*]} " == *" isolation "* ]] && targets+=(isolation_test)
[[ " ${goals[*]} " =~ " "(steps|kill_random|power|planted|faults)" " ]] && targets+=(crash_harness)
cmake --build "$build" --target "${targets[@]}" >/dev/null || cmake --build "$build" --target "${targets[@]}"

log=$(mktemp)
scratch=$(mktemp -d)
trap 'rm -rf "$log" "$scratch"' EXIT
rows=()
status=0
field() { sed -n "s/.* $1=\([^ ]*\).*/\1/p" <<<"$result"; }

run() {  # name in the table, program, arguments…
  local name=$1 start=$SECONDS code=0 result
  shift
  echo "== $name: ${1##*/} ${*:2}"
  "$@" | tee "$log" || code=${PIPESTATUS[0]}
  # How each of the two programs says what it did.
  result=$(grep '^result ' "$log" ||
    sed -n 's/^isolation: \([0-9]*\) committed,.* \([0-9]*\) anomalies$/result done=\1 found=\2/p' "$log")
  if [[ $code == 77 ]]; then
    rows+=("$name|skipped|-|$seed|-")
  elif [[ -z $result ]]; then
    rows+=("$name|did not end|exit $code|$seed|-")
    status=1
  else
    rows+=("$name|$(field done)|$(field found)|$seed|$((SECONDS - start))")
    [[ $code == 0 ]] || status=1
  fi
}

for goal in "${goals[@]}"; do
  read -ra arguments <<<"${plan[$goal.$length]}"
  if [[ $goal == isolation ]]; then
    for level in serializable snapshot; do
      run "$level" "$build/tests/isolation/isolation_test" "${arguments[@]}" --level "$level" --seed "$seed" \
        --dir "$scratch/store"
    done
  else
    run "$goal" "$build/tests/crash/crash_harness" "${arguments[@]}" --seed "$seed"
  fi
done

echo
printf '%-14s %12s %8s %12s %9s\n' goal done found seed seconds
for row in "${rows[@]}"; do
  IFS='|' read -r goal count found used seconds <<<"$row"
  printf '%-14s %12s %8s %12s %9s\n' "$goal" "$count" "$found" "$used" "$seconds"
done
exit $status
