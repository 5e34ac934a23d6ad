#!/usr/bin/env bash
# Counts the lines of each kind of plugin, without blank lines and comments. Fails when a plugin has
# more lines than its limit.
#
#   tools/plugin_lines.sh [ROOT]          prints a table for docs/abi_policy.md
set -euo pipefail
cd "${1:-.}"

code_lines() { cat "$@" | grep -cvE '^[[:space:]]*(//.*|/\*.*|\*.*|# .*|#)?$' || true; }

failed=0
row() { # what budget files...
  local what=$1 budget=$2
  shift 2
  local lines
  lines=$(code_lines "$@")
  printf '| %-42s | %5s | %6s |\n' "$what" "$lines" "$budget"
  [ "$lines" -gt 0 ] && [ "$lines" -le "$budget" ] || { echo "$what: $lines lines, the budget is $budget" >&2; failed=1; }
}

printf '| %-42s | %5s | %6s |\n' plugin lines budget
printf '|%s|%s|%s|\n' --- ---: ---:
row "tier 1, no network (examples/programs/thermal)" 60 examples/programs/thermal.cc
row "tier 1, encoder network (plugins/depth)" 150 plugins/depth/depth.cc plugins/depth/BUILD
row "tier 2, C++ modality (plugins/imu)" 100 plugins/imu/imu.cc plugins/imu/BUILD
row "tier 2, C++ task (plugins/path)" 100 plugins/path/path.cc plugins/path/BUILD
row "tier 2, C (plugins/mel_stats)" 180 plugins/mel_stats/mel_stats.c
row "tier 3 (plugins/thermal)" 30 plugins/thermal/thermal.plugin.textproto
exit $failed
