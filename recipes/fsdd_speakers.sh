#!/bin/bash
# Digits spoken by a speaker who was not in training: runs recipes/fsdd_adapter.textproto once for each of the six speakers of
# fsdd/train.tar. That speaker is left out of training, and is the only one in the evaluation.
#   recipes/fsdd_speakers.sh UNIVAL DATA OUT [OPTION...]     OPTION: passed to `unival train`
set -euo pipefail
if [[ $# -lt 3 ]]; then
  sed -n '2,4s/^# //p' "$0" >&2
  exit 2
fi
unival=$1 data=$2 out=$3
shift 3
recipes=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$out"
for speaker in george jackson lucas nicolas theo yweweler; do
  sed -e "s|\"\.\./|\"$recipes/../|" \
    -e "s|path: \"fsdd/train.tar\"|& drop { key: \"speaker\" value: \"$speaker\" }|" \
    -e "s|^evaluation .*|evaluation { name: \"$speaker\" task: \"spoken_digit\" path: \"fsdd/train.tar\" keep { key: \"speaker\" value: \"$speaker\" } }|" \
    "$recipes/fsdd_adapter.textproto" >"$out/$speaker.textproto"
  "$unival" train "$out/$speaker.textproto" --data_root "$data" --output "$out/$speaker" "$@"
done
