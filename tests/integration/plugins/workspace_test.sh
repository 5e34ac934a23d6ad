#!/usr/bin/env bash
# The Bazel of plugin authors, without a network: the packaged SDK as a workspace of its own builds all samples, a plugin in
# another workspace refers to it, and the folders that `unival plugin new` writes build and pass their check as they stand.
set -euo pipefail
archive=$(readlink -f sdk/package/unival-sdk-*.tar.gz)
PATH=$(dirname "$(readlink -f app/unival)"):$PATH
cd "$TEST_TMPDIR"
tar -xzf "$archive"
mv unival-sdk-* sdk

in_folder() { # folder, command, targets...
  (cd "$1" && shift && HOME=$TEST_TMPDIR bazel --batch --output_user_root="$TEST_TMPDIR/bazel" "$1" --jobs=2 \
    --spawn_strategy=local --noshow_progress "${@:2}")
}

in_folder sdk build -c opt //samples/...
for plugin in depth/libdepth.so gpt2_bpe/libunival_gpt2_bpe.so imu/libimu.so mel_stats/libmel_stats.so path/libpath.so \
  sentencepiece/libunival_sentencepiece.so; do
  test -s "sdk/bazel-bin/samples/$plugin"
done
[ "$(nm -D --defined-only --format=just-symbols sdk/bazel-bin/samples/imu/libimu.so)" = unival_plugin_v0 ]

mkdir other
cat >other/WORKSPACE <<'TEXT'
workspace(name = "other")
local_repository(name = "unival_sdk", path = "../sdk")
load("@unival_sdk//sdk:offline.bzl", "offline_repositories")
offline_repositories()
TEXT
cat >other/BUILD <<'TEXT'
load("@unival_sdk//sdk:stable_plugin.bzl", "unival_plugin")
unival_plugin(name = "imu", srcs = ["imu.cc"])
TEXT
cp sdk/samples/imu/imu.cc other/
in_folder other build //:libimu.so
[ "$(nm -D --defined-only --format=just-symbols other/bazel-bin/libimu.so)" = unival_plugin_v0 ]

for tier in 1 2 3; do
  unival plugin new "radar$tier" --tier "$tier"
  in_folder "radar$tier" build //...
  in_folder "radar$tier" test --test_output=errors //...
done
