#!/usr/bin/env bash
# What it costs to share a run: steps per second of one process on one core, of two that share a run on a core each, and of
# two that have nothing to do with each other (the machine's ceiling: caches and memory are shared even then).
#
#   bazel build -c opt //app:unival //libexec:unival-data && tests/bench/processes_bench.sh [STEPS]
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
root=$PWD
steps=${1:-60}
folder=$(mktemp -d "${TMPDIR:-/tmp}/unival-bench.XXXXXX")
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export OMP_NUM_THREADS=1
unival() { "$root/bazel-bin/app/unival" "$@"; }

unival data make-world data --kind image --count 400 --eval_count 8 --seed 1 >/dev/null 2>&1
cat >plan.textproto <<PLAN
name: "bench"
seed: 1
model: "$root/models/nano"
templates: "$root/tasks/templates/quickstart.textproto"
stage {
  name: "all"
  trainable: "backbone"
  steps: $steps
  batch: 32
  optimizer { learning_rate: 1e-4 }
  source { task: "image_caption" path: "image/train/caption.jsonl" }
  cache { enabled: true }
}
PLAN
train() { unival "$@" --data_root data --cache cache --quiet --json | sed -n 's/.*"steps_per_second": \([0-9.e+-]*\).*/\1/p'; }
run() { train train plan.textproto --output "$1"; }

run warm >/dev/null
alone=$(run alone)
run left >left.txt &
right=$(run right)
wait
shared=$(train launch --processes 2 -- train plan.textproto --output shared)
awk -v alone="$alone" -v left="$(cat left.txt)" -v right="$right" -v shared="$shared" 'BEGIN {
  apart = (left + right) / 2
  printf "one process                     %6.2f steps/s\n", alone
  printf "two that are apart, each        %6.2f steps/s (%.0f %% of one: the ceiling)\n", apart, 100 * apart / alone
  printf "two that share the run, each    %6.2f steps/s (%.0f %% of one, %.0f %% of the ceiling)\n", shared, 100 * shared / alone, 100 * shared / apart
}'
