#!/usr/bin/env bash
# The packaged SDK as a workspace of its own: Bazel builds all samples, and a plugin in another workspace that refers to it.
set -euo pipefail
archive=$(readlink -f sdk/package/unival-sdk-0.1.0.tar.gz)
root=$(dirname "$(readlink -f LICENSE)")
cd "$TEST_TMPDIR"
tar -xzf "$archive"
mv unival-sdk-0.1.0 sdk

# Bazel 4 of the distribution would download these; a released, newer Bazel knows where to find its rules.
offline=()
if ! bazel --version | grep -qE '[5-9]\.[0-9]|[1-9][0-9]\.'; then
  for override in "rules_cc=$root/third_party/rules_cc" "remote_coverage_tools=$root/third_party/remote_coverage_tools" \
    rules_java=/usr/share/bazel/rules/java rules_proto=/usr/share/bazel/rules/proto \
    bazel_skylib=/usr/share/bazel/tools/skylib platforms=/usr/share/bazel/tools/platforms; do
    offline+=("--override_repository=$override")
  done
fi

build() { # folder targets...
  (cd "$1" && shift && HOME=$TEST_TMPDIR bazel --batch --output_user_root="$TEST_TMPDIR/bazel" build --jobs=2 \
    --spawn_strategy=local --cxxopt=-std=c++17 -c opt --noshow_progress "${offline[@]}" "$@")
}

build sdk //samples/...
for plugin in depth/libdepth.so gpt2_bpe/libunival_gpt2_bpe.so imu/libimu.so mel_stats/libmel_stats.so path/libpath.so \
  sentencepiece/libunival_sentencepiece.so; do
  test -s "sdk/bazel-bin/samples/$plugin"
done
[ "$(nm -D --defined-only --format=just-symbols sdk/bazel-bin/samples/imu/libimu.so)" = unival_plugin_v0 ]

mkdir other
cat >other/WORKSPACE <<'TEXT'
workspace(name = "other")
local_repository(name = "unival_sdk", path = "../sdk")
TEXT
cat >other/BUILD <<'TEXT'
load("@unival_sdk//sdk:stable_plugin.bzl", "unival_plugin")
unival_plugin(name = "imu", srcs = ["imu.cc"])
TEXT
cp sdk/samples/imu/imu.cc other/
build other //:libimu.so
[ "$(nm -D --defined-only --format=just-symbols other/bazel-bin/libimu.so)" = unival_plugin_v0 ]
