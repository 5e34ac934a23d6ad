#!/bin/bash
# Measures whether training only a connection can make a model say a user's own sentences. Trains recipes/own_words.textproto
# on signals of a fake sensor for every set, kind and seed, and for controls, and prints the share of exactly right sentences.
#   recipes/own_words.sh UNIVAL MODEL LABELS OUT
#     UNIVAL   the program; the plugin series is searched next to it, or SERIES names its file
#     MODEL    a model directory          LABELS   JSON {"SET": ["a sentence", ...], ...}
#     OUT      a work folder: data, and table.tsv; each result is added once, so that a stopped run can continue
#   Settings: SEEDS="1 2 3", KINDS="changing steady changing_after steady_after ...", SETS (default: all), THREADS=1, and
#   CONTROLS="random nano": MODEL's configuration with random weights, and models/nano, with the first seed; CONTROLS="": none.
#   The table: mean and minimum over the sets (each a mean over seeds); next to them the score of always giving the most frequent
#   sentence, and of a linear classifier of the signals (first seed; not when pairs are held out, which it has never seen).
set -euo pipefail
if [[ $# -ne 4 ]]; then
  sed -n '2,13s/^# //p' "$0" >&2
  exit 2
fi
unival=$1 model=$(realpath "$2") labels=$3 out=$4
root=$(realpath "$(dirname "$0")/..")
series=${SERIES:-$(dirname "$unival")/../lib/unival/plugins/series/libseries.so}
seeds=(${SEEDS:-1 2 3})
mkdir -p "$out/runs"
touch "$out/table.tsv"

if [[ ! -d $out/data ]]; then
  "$unival" data fake-sensor "$labels" "$out/data"
  for pairs in after together; do "$unival" data fake-sensor "$labels" "$out/data" --pairs $pairs; done
fi

# probe RUN DATA: prints the result of the classifier, a column of table.tsv.
probe() {
  "$unival" probe "$1/model" --task sensor --train "$2/train/say.jsonl" --test "$2/eval/say.jsonl" --plugin "$series" \
    --threads "${THREADS:-1}" --json 2>"$out/probe.log" |
    sed -n '/"joined"/,/}/s/.*"accuracy": *\([0-9.]*\).*/\tsay:probe\t\1/p'
}

# measure NAME MODEL SEED EXTRA: measures every set and kind; EXTRA is a line of the plan.
measure() {
  local name=$1 seed=$3 plan=$out/$1.textproto set kind data run this
  sed -e "s|^model: .*|model: \"$2\"|" -e "s|\"../tasks|\"$root/tasks|" \
    -e "s|\"../models/base_signal|\"$root/models/base_signal|" "$root/recipes/own_words.textproto" >"$plan"
  echo "$4" >>"$plan"
  for set in ${SETS:-$(ls "$out/data")}; do
    for kind in ${KINDS:-changing steady changing_after steady_after changing_together steady_together}; do
      run=$name/$set/$kind/$seed data=$out/data/$set/$kind
      grep -q "^$run	" "$out/table.tsv" && continue
      rm -rf "${out:?}/runs/$run"
      this=$plan
      if [[ -f $data/eval_held_out/say.jsonl ]]; then
        this=$out/${name}_pairs.textproto
        cp "$plan" "$this"
        echo 'evaluation { name: "held_out" task: "sensor" path: "eval_held_out/say.jsonl" }' >>"$this"
      fi
      "$unival" train "$this" --plugin "$series" --data_root "$data" --output "$out/runs/$run" \
        --seed "$seed" --threads "${THREADS:-1}" --quiet >"$out/runs.log"
      {
        printf '%s' "$run"
        awk '$2 == "exact_match" {
               name = $1
               printf "\t%s\t%s", name, $3
               if (sub(/.*: /, "") && sub(/\)$/, "")) printf "\t%s:constant\t%s", name, $0
             }' "$out/runs.log"
        if [[ $seed == "${seeds[0]}" && $name != *_random ]]; then probe "$out/runs/$run" "$data"; fi
      } | tr -d '\n' >"$out/row.tsv"
      echo >>"$out/row.tsv"
      cat "$out/row.tsv" >>"$out/table.tsv"
      rm -rf "${out:?}/runs/$run"
    done
  done
}

name=$(basename "$model")
for seed in "${seeds[@]}"; do measure "$name" "$model" "$seed" ""; done
for control in ${CONTROLS-random nano}; do
  if [[ $control == random ]]; then
    measure "${name}_random" "$model" "${seeds[0]}" "random_backbone: true"
  elif [[ $control != "$name" ]]; then
    measure "$control" "$root/models/$control" "${seeds[0]}" ""
  fi
done

awk -F'[/\t]' '
  {
    for (i = 5; i < NF; i += 2) {
      row = $1 "\t" $3 "\t" $i
      sum[row, $2] += $(i + 1); count[row, $2]++; sets[$2]
      if ($i !~ /:/ && !(row in seen)) { seen[row]; order[++rows] = row }
    }
  }
  function mean_of(row,   set, total, n, mean) {
    total = n = 0; worst = 2
    for (set in sets) if ((row, set) in count) {
      mean = sum[row, set] / count[row, set]; total += mean; n++
      if (mean < worst) worst = mean
    }
    measured = n
    return n ? sprintf("%.3f", total / n) : "-"
  }
  END {
    sorted = "sort -s -k2,2"
    printf "%-14s %-18s %-9s %5s %7s %7s %9s %7s\n", "model", "signal", "measured", "sets", "mean", "worst", "constant", "probe"
    fflush()
    for (i = 1; i <= rows; i++) {
      split(order[i], part, "\t")
      mean = mean_of(order[i]); n = measured; least = worst
      constant = mean_of(order[i] ":constant"); classifier = mean_of(order[i] ":probe")
      printf "%-14s %-18s %-9s %5d %7s %7.3f %9s %7s\n", part[1], part[2], part[3], n, mean, least, constant, classifier | sorted
    }
  }' "$out/table.tsv"
