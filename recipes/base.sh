#!/bin/bash
# Writes the training data of the `base` model that recipes/world.sh does not write, and its tokenizer.
#   recipes/base.sh UNIVAL TEXTS OUT
#     UNIVAL  the program      TEXTS  a folder of NAME_train.jsonl and NAME_dev.jsonl with English sentences (column text)
#     OUT     the folder that recipes/world.sh wrote to
# The same versions of the tools give the same bytes. The tokenizer is written to OUT/base_tokenizer; the shipped one is
# recipes/base_tokenizer.
set -euo pipefail
if [[ $# -ne 3 ]]; then
  sed -n '2,7s/^# //p' "$0" >&2
  exit 2
fi
unival=$1 texts=$2 out=$3 seed=1

"$unival" data make-english "$texts" "$out" --seed "$seed"
"$unival" data make-corpus "$out/english/world.txt" --seed "$seed" --sentences 30000
mkdir -p "$out/base_tokenizer"
{ sed 's/^ *//; s/^/ /' "$out/english/world.txt"; cat "$out/english/corpus.txt"; } >"$out/english/both.txt"
"$unival" data train-tokenizer "$out/english/both.txt" "$out/base_tokenizer/tokenizer.model" --size 6000
