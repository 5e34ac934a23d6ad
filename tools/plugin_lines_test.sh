#!/usr/bin/env bash
# The shipped plugins keep their limits, and a plugin that does not is reported.
set -euo pipefail
root=$(pwd)
"$root/tools/plugin_lines.sh" "$root"
copy=$TEST_TMPDIR/tree
mkdir -p "$copy"
cp -rL "$root/examples" "$root/plugins" "$copy/"
chmod -R u+w "$copy"
for i in $(seq 200); do echo "int line_$i;"; done >>"$copy/plugins/imu/imu.cc"
if "$root/tools/plugin_lines.sh" "$copy" >"$TEST_TMPDIR/table" 2>"$TEST_TMPDIR/error"; then
  echo "a plugin above its budget was not found"
  exit 1
fi
grep -q "plugins/imu.*the budget is 100" "$TEST_TMPDIR/error"
