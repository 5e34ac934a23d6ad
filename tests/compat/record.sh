#!/usr/bin/env bash
# record.sh VERSION_FOLDER
#
# Makes the fixtures of one version of the program, and records what that program says of them. To be run once, before the
# next version changes a format:
#
#   PATH="/checkout/of/the/version/bazel-bin/app:$PATH" DEPTH_PLUGIN=/…/bazel-bin/plugins/depth/libdepth.so \
#     tests/compat/record.sh tests/compat/v0_1
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
folder=$1
inputs=$here/inputs
set -a
# shellcheck source=/dev/null
. "$here/environment"
set +a

mkdir -p "$folder"
folder=$(readlink -f "$folder")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cp -r "$inputs"/. .
unival data make-world data --kind image --kind depth --count 12 --eval_count 4 --seed 3
unival data make-corpus corpus.txt --sentences 1000
mkdir tokenizer
unival data train-tokenizer corpus.txt tokenizer/tokenizer.model --size 300
rm corpus.txt
tar -xOf data/image/eval/images.tar 000000.png >picture.png

unival train pretrain.textproto --data_root data --output runs/base --quiet
mv runs/base/model model
rm -r runs/base
unival train adapter.textproto --data_root data --output runs/adapter --plugin "$DEPTH_PLUGIN" --quiet
rm -r runs/adapter/cache runs/adapter/checkpoint

mkdir plugins
for kind in modality:radar tokenizer:cut task:echo; do
  name=${kind#*:}
  unival plugin new "$name" --tier 2 --kind "${kind%:*}" --output "built_$name"
  make -s -C "built_$name" "lib$name.so"
  strip "built_$name/lib$name.so"
  mkdir "plugins/$name"
  cp -r "built_$name/lib$name.so" "built_$name/samples" "plugins/$name/"
  if [ "$name" = radar ]; then cp built_radar/templates.textproto templates/radar.textproto; fi
  rm -r "built_$name"
done
unival plugin new sonar --tier 3 --output plugins/sonar
rm -f plugins/sonar/{BUILD,WORKSPACE,Makefile,README.md,sonar_test.sh,templates.textproto}

mkdir data/radar
for i in 0 1 2 3 4 5 6 7 8 9; do
  printf '%s,%s,1\n0.5,-1,%s\n' "$i" "-$i" "$i" >"data/radar/$i.csv"
  if [ $((i % 2)) = 0 ]; then words="a red circle"; else words="two blue stars"; fi
  printf '{"radar": "%s.csv", "caption": "%s"}\n' "$i" "$words" >>data/radar/caption.jsonl
done

# Stopped in the second stage, as by a scheduler.
unival train two_stages.textproto --data_root data --output runs/stopped --plugin plugins/radar/libradar.so --quiet &
run=$!
until grep -qs '"step": *1[0-9]' runs/stopped/log.jsonl; do
  kill -0 "$run" # fails when the run has ended by itself
  sleep 0.01
done
kill -TERM "$run"
wait "$run" || true
[ ! -e runs/stopped/model ]

rm -rf "${folder:?}"/*/
cp -r . "$folder"
mkdir "$folder/expected"
grep -v '^#' "$here/commands" | while IFS= read -r line; do
  name=${line%%: *}
  bash -c "${line#*: }" >"$folder/expected/$name" </dev/null || echo "$name ended with $?" >&2
done
du -sh "$folder" >&2
