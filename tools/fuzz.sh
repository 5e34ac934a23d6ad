#!/usr/bin/env bash
# fuzz.sh MINUTES: every target of tests/fuzz under the address sanitizer, over its corpus and other mutations each
# round, until the time is over. The first input that ends one is named by the target's own report.
set -euo pipefail
cd "$(dirname "$0")/.."
minutes=${1:?usage: tools/fuzz.sh MINUTES}
bazel build --config=asan //tests/fuzz:all
end=$((SECONDS + 60 * minutes))
for ((seed = 1; SECONDS < end; ++seed)); do
  for source in tests/fuzz/*_fuzz.cc; do
    name=$(basename "$source" .cc)
    [ -x "bazel-bin/tests/fuzz/$name" ] || continue
    "bazel-bin/tests/fuzz/$name" --seed=$seed --mutations=200 "tests/fuzz/corpus/${name%_fuzz}" ||
      { echo "$name ended with an error at --seed=$seed --mutations=200" >&2; exit 1; }
  done
done
echo "$minutes minutes, $((seed - 1)) rounds of every target, nothing found"
