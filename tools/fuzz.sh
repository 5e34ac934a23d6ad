#!/usr/bin/env bash
# fuzz.sh MINUTES [TARGET...]: runs every target of tests/fuzz, or the named ones, for MINUTES each,
# with the address and the undefined-behaviour sanitizer; JOBS targets run at a time (default: the
# number of processors).
#   With clang's fuzzer installed, coverage guides the search. Otherwise the corpus driver makes
#   random mutations, different each time.
#   ENGINE=libfuzzer or ENGINE=driver chooses. FINDINGS=DIR (fuzz_findings): inputs that ended a
#   target are kept there, each under the target's name with its report. Put them into
#   tests/fuzz/corpus after the error is fixed.
#   CORPUS=DIR (fuzz_corpus): clang's fuzzer keeps inputs there that reached new code, so that the
#   next call continues from them.
# Prints executions and findings of each target, and ends with 1 when something was found.
set -euo pipefail
cd "$(dirname "$0")/.."
minutes=${1:?usage: tools/fuzz.sh MINUTES [TARGET...]}
shift
findings=${FINDINGS:-fuzz_findings}
mkdir -p "$findings"
findings=$(realpath "$findings")

mkdir -p "${CORPUS:=fuzz_corpus}"
corpus=$(realpath "$CORPUS")

names=("$@")
if [[ ${#names[@]} -eq 0 ]]; then
  for source in tests/fuzz/*_fuzz.cc; do names+=("$(basename "$source" _fuzz.cc)"); done
fi
targets=()
for name in "${names[@]}"; do targets+=("//tests/fuzz:${name}_fuzz"); done

has_libfuzzer() {
  echo 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }' |
    clang++ -fsanitize=fuzzer -x c++ - -o /dev/null 2>/dev/null
}
engine=${ENGINE:-$(has_libfuzzer && echo libfuzzer || echo driver)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [[ $engine == libfuzzer ]]; then
  # Another compiler: builds in its own folder, so that the usual build stays as it is.
  base=${FUZZ_OUTPUT_BASE:-$HOME/.cache/unival-fuzz}
  bazel --output_base="$base" build --config=libfuzzer "${targets[@]}"
  bin=$(bazel --output_base="$base" info --config=libfuzzer bazel-bin)
  bazel --output_base="$base" shutdown
else
  bazel build --config=asan --config=ubsan "${targets[@]}"
  bin=$(bazel info --config=asan --config=ubsan bazel-bin)
fi

export ASAN_OPTIONS=detect_odr_violation=1:detect_leaks=0:strict_string_checks=1:allocator_may_return_null=1:hard_rss_limit_mb=4096
export UBSAN_OPTIONS=print_stacktrace=1
seed=$(date +%s)

# Runs one target; writes NAME's line of the table.
fuzz() {
  local name=$1 log="$work/$1.log" count=0 rc=0 kept="$findings/$1"
  mkdir -p "$kept" "$corpus/$name"
  if [[ $engine == libfuzzer ]]; then
    "$bin/tests/fuzz/${name}_fuzz" -max_total_time=$((60 * minutes)) -timeout=60 -rss_limit_mb=4096 -print_final_stats=1 \
      -artifact_prefix="$kept/" "$corpus/$name" "tests/fuzz/corpus/$name" >"$log" 2>&1 || rc=$?
    count=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  else
    "$bin/tests/fuzz/${name}_fuzz" --seconds=$((60 * minutes)) --seed="$seed" --findings="$kept" \
      "tests/fuzz/corpus/$name" >"$log" 2>&1 || rc=$?
    count=$(sed -n 's/.*files, \([0-9]*\) executions$/\1/p' "$log")
  fi
  if [[ $rc -ne 0 ]]; then tail -n 200 "$log" >"$kept/report.$seed"; fi
  printf '%-20s %14s %s\n' "$name" "${count:-?}" "$([[ $rc -eq 0 ]] && echo nothing || echo "FOUND, see $kept")" | tee "$work/$name.line"
}
export -f fuzz
export minutes engine bin findings corpus work seed

printf '%-20s %14s %s   (%s, %s minutes each)\n' target executions found "$engine" "$minutes"
printf '%s\n' "${names[@]}" | xargs -P "${JOBS:-$(nproc)}" -I{} bash -c 'fuzz {}'
rmdir "$findings"/* "$findings" "$corpus"/* "$corpus" 2>/dev/null || true  # empty folders
cat "$work"/*.line | awk -v minutes="$minutes" '
  { total += $2; found += $3 == "FOUND," }
  END { printf "%d targets, %d minutes, %d executions, %d with findings\n", NR, NR * minutes, total, found; exit found > 0 }'
