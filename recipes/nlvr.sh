#!/bin/bash
# Finetunes the shipped `base` for statements about pictures (NLVR), and prints accuracy and consistency on dev beside its controls.
#   recipes/nlvr.sh UNIVAL NLVR OUT
#     UNIVAL   the program
#     NLVR     the publisher's folder (train/train.json, train/images, dev/dev.json, ...), or one with train.jsonl and dev.jsonl of it
#     OUT      a folder to work in: data, nlvr, nlvr_text, nlvr_image; what is finished is kept, so that a stopped call goes on
#   Settings: SEED=1, THREADS=2, STATEMENTS=12000 (made by rules), STEPS (of every stage instead of the plan's), and
#   CONTROLS="text image": the statement alone, the picture alone. CONTROLS="" for none.
#   The trained model is OUT/nlvr/model. The held-out test: unival data import nlvr NLVR NLVR/test.jsonl --split test, then
#   unival eval OUT/nlvr/model --task nlvr --data NLVR/test.jsonl --column group=sentence --column sentence=sentence
set -euo pipefail
if [[ $# -ne 3 ]]; then
  sed -n '2,10s/^# //p' "$0" >&2
  exit 2
fi
unival=$1 nlvr=$(realpath "$2") out=$3
statements=${STATEMENTS:-12000}
root=$(realpath "$(dirname "$0")/..")
mkdir -p "$out/data"
out=$(realpath "$out")

for split in train dev; do
  [[ -f $nlvr/$split.jsonl ]] || "$unival" data import nlvr "$nlvr" "$nlvr/$split.jsonl" --split $split
done
if [[ ! -f $out/data/statements/eval/statement.jsonl ]]; then
  "$unival" data make-statements "$out/data" --count "$statements" --eval_count $((statements / 40 + 1)) --seed 1
fi

# train NAME PLAN TASK: trains PLAN in OUT/NAME; TASK reads the statements that people wrote.
train() {
  local options=(--seed "${SEED:-1}" --threads "${THREADS:-2}" ${STEPS:+--steps "$STEPS"})
  [[ -f $out/$1/results.json ]] && return
  [[ -d $out/$1/checkpoint ]] && options+=(--resume)
  sed -e "s|\"\.\./|\"$root/|" -e "s|path: \"nlvr/|path: \"$nlvr/|" -e "s|task: \"nlvr_TASK\"|task: \"$3\"|" "$root/recipes/$2" >"$out/$1.textproto"
  "$unival" train "$out/$1.textproto" --data_root "$out/data" --output "$out/$1" "${options[@]}" >"$out/$1.log"
}

train nlvr nlvr.textproto nlvr
for control in ${CONTROLS-text image}; do train "nlvr_$control" nlvr_control.textproto "nlvr_$control"; done
for run in nlvr ${CONTROLS-text image}; do
  name=nlvr
  [[ $run == nlvr ]] || name=nlvr_$run
  awk -v name="$name" '$1 == "dev" { $1 = $1; print name, $0 }' "$out/$name.log"
done
