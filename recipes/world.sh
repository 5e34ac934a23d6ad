#!/bin/bash
# Writes the data that the shipped recipes train on.
#   recipes/world.sh UNIVAL OUT      UNIVAL: the program (bazel-bin/app/unival), OUT: a folder to write to
# Takes a few minutes and one gigabyte; the same versions of the tools give the same bytes.
set -euo pipefail
if [[ $# -ne 2 ]]; then
  sed -n '2,4s/^# //p' "$0" >&2
  exit 2
fi
unival=$1 out=$2 seed=1

"$unival" data make-world "$out" --seed "$seed" --kind image --kind image_varied --count 60000 --eval_count 1000
"$unival" data make-world "$out" --seed "$seed" --kind video --count 30000 --eval_count 500
"$unival" data make-world "$out" --seed "$seed" --kind depth --count 6000 --eval_count 500
"$unival" data make-world "$out" --seed "$seed" --kind sound --count 8000 --eval_count 500
"$unival" data make-world "$out" --seed "$seed" --kind text --kind text_plain --count 60000 --eval_count 500
"$unival" data make-speech "$out" --seed "$seed" --clips 10
"$unival" data make-corpus "$out/corpus.txt" --seed "$seed" --sentences 100000
