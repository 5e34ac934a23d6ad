#!/bin/bash
# Measures whether a model can be made to say a user's own sentences by a connection alone: trains recipes/own_words.textproto on
# signals of a fake sensor, for every set, kind and seed, and prints the share of sentences that come out whole.
#   recipes/own_words.sh UNIVAL MODEL LABELS OUT
#     UNIVAL   the program; the plugin series is sought beside it, or is the file in SERIES
#     MODEL    a model directory          LABELS   JSON {"SET": ["a sentence", ...], ...}
#     OUT      a folder to work in: data, runs, and table.tsv, to which each result is added once
#   Settings: SEEDS="1 2 3", KINDS="changing steady changing_after steady_after ...", SETS (default: all), CONTROL=random for a backbone
#   of random weights, NAME (of the rows; default: the model's folder), THREADS=1.
set -euo pipefail
if [[ $# -ne 4 ]]; then
  sed -n '2,9s/^# //p' "$0" >&2
  exit 2
fi
unival=$1 model=$(realpath "$2") labels=$3 out=$4
root=$(realpath "$(dirname "$0")/..")
series=${SERIES:-$(dirname "$unival")/../lib/unival/plugins/series/libseries.so}
name=${NAME:-$(basename "$model")}${CONTROL:+_$CONTROL}
mkdir -p "$out/runs"
touch "$out/table.tsv"

if [[ ! -d $out/data ]]; then
  "$unival" data fake-sensor "$labels" "$out/data"
  for pairs in after together; do "$unival" data fake-sensor "$labels" "$out/data" --pairs $pairs; done
fi
plan=$out/$name.textproto
sed -e "s|^model: .*|model: \"$model\"|" -e "s|\"../tasks|\"$root/tasks|" "$root/recipes/own_words.textproto" >"$plan"
if [[ ${CONTROL:-} == random ]]; then echo 'random_backbone: true' >>"$plan"; fi

for set in ${SETS:-$(ls "$out/data")}; do
  for kind in ${KINDS:-changing steady changing_after steady_after changing_together steady_together}; do
    held_out=$out/data/$set/$kind/eval_held_out/say.jsonl
    for seed in ${SEEDS:-1 2 3}; do
      run=$name/$set/$kind/$seed
      grep -q "^$run	" "$out/table.tsv" && continue
      rm -rf "${out:?}/runs/$run"
      this=$plan
      if [[ -f $held_out ]]; then
        this=$out/${name}_pairs.textproto
        cp "$plan" "$this"
        echo 'evaluation { name: "held_out" task: "sensor" path: "eval_held_out/say.jsonl" }' >>"$this"
      fi
      "$unival" train "$this" --plugin "$series" --data_root "$out/data/$set/$kind" --output "$out/runs/$run" \
        --seed "$seed" --threads "${THREADS:-1}" --quiet >"$out/runs.log"
      scores=$(awk '$2 == "exact_match" { printf "\t%s\t%s", $1, $3 }' "$out/runs.log")
      printf '%s%s\n' "$run" "$scores" >>"$out/table.tsv"
      rm -rf "${out:?}/runs/$run"
    done
  done
done

# Mean and worst over sets, of the means over seeds.
awk -F'[/\t]' -v name="$name" '
  $1 != name { next }
  { for (i = 5; i < NF; i += 2) { sum[$3 "\t" $i, $2] += $(i + 1); count[$3 "\t" $i, $2]++; rows[$3 "\t" $i]; sets[$2] } }
  END {
    printf "%-12s %-16s %-10s %8s %8s\n", "model", "signal", "measured", "mean", "worst"
    for (row in rows) {
      total = n = 0; worst = 2
      for (set in sets) if ((row, set) in count) {
        mean = sum[row, set] / count[row, set]; total += mean; n++
        if (mean < worst) worst = mean
      }
      split(row, part, "\t")
      printf "%-12s %-16s %-10s %8.3f %8.3f\n", name, part[1], part[2], total / n, worst
    }
  }' "$out/table.tsv"
