#!/usr/bin/env bash
# A program in a Bazel workspace of its own links the installed library, as docs/installing.md says, without a network.
set -euo pipefail
installed=$TEST_TMPDIR/installed
packaging/install "$installed"
unset RUNFILES_DIR
mkdir "$TEST_TMPDIR/workspace"
cd "$TEST_TMPDIR/workspace"
cat >WORKSPACE <<TEXT
workspace(name = "program")
local_repository(name = "unival_sdk", path = "$installed/share/unival/sdk")
load("@unival_sdk//sdk:offline.bzl", "offline_repositories")
offline_repositories()
local_repository(name = "unival", path = "$installed/share/unival/bazel")
TEXT
echo 'cc_binary(name = "predict", srcs = ["predict.cc"], deps = ["@unival"])' >BUILD
cp "$installed/share/doc/unival/examples/predict/predict.cc" .
HOME=$TEST_TMPDIR bazel --batch --output_user_root="$TEST_TMPDIR/bazel" build --jobs=2 --spawn_strategy=local \
  --noshow_progress --cxxopt=-std=c++17 //:predict

"$installed/bin/unival" data make-world world --kind image --count 4 --eval_count 2 --seed 1
tar -xf world/image/eval/images.tar 000000.png
nano=$installed/share/unival/models/nano
answer=$(bazel-bin/predict "$nano" 000000.png)
[ -n "$answer" ]
[ "$answer" = "$("$installed/bin/unival" predict "$nano" --task image_caption --input image=000000.png)" ]
