#!/usr/bin/env bash
# Runs clang-tidy (.clang-tidy) over source files; a finding is an error.
#
#   tools/clang_tidy.sh FILE.cc...        needs compile_commands.json, which tools/compile_commands.sh writes
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

[ $# -gt 0 ] || { sed -n 2,4p "$0" >&2; exit 2; }
command -v clang-tidy >/dev/null || { echo "clang-tidy is not installed: sudo apt-get install clang-tidy" >&2; exit 1; }
[ -f compile_commands.json ] || { echo "compile_commands.json is missing: tools/compile_commands.sh //..." >&2; exit 1; }

# Compiler warnings are checked by g++: clang has other warnings, and does not know some options of
# g++.
exec clang-tidy -p . --quiet --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-everything "$@"
