#!/usr/bin/env bash
# Runs clang-tidy (.clang-tidy) over source files, with the flags that Bazel compiles them with, and prints what it finds.
#
#   tools/clang_tidy.sh FILE.cc...        those files
#   tools/clang_tidy.sh --since REV       those that differ from a revision of git, "main" say, in commits or in the folder
#
# A header is checked with the .cc files that are given and include it; --since looks for changed .cc files alone.
# Flags are those of compile_commands.json; where it is not there or lacks a file, tools/compile_commands.sh writes it first, for
# all targets.
# Generated headers (.pb.h) must be there: build what the files belong to.
# Ends with 1 where something was found, with 2 where the command line is wrong or clang-tidy is not installed.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

usage() { sed -n 4,5p "$0" >&2; exit 2; }
case "${1:-}" in
  "" | --help) usage ;;
  --since)
    [ $# -eq 2 ] || usage
    changed=$(git diff --name-only --diff-filter=d "$2" -- '*.cc') || exit 2
    new=$(git ls-files -o --exclude-standard '*.cc')
    mapfile -t files < <(printf '%s\n%s\n' "$changed" "$new" | sed '/^$/d')
    ;;
  *) files=("$@") ;;
esac
[ ${#files[@]} -gt 0 ] || { echo "No .cc file differs from $2, so nothing was checked; headers alone are not." >&2; exit 0; }
for file in "${files[@]}"; do [ -f "$file" ] || { echo "$file: no such file" >&2; exit 2; }; done
command -v clang-tidy >/dev/null || {
  echo "clang-tidy is not installed. Install it with: sudo apt-get install --no-install-recommends clang-tidy" >&2
  exit 2
}

# Whether the flags of each file are known.
has_commands() {
  local file
  [ -f compile_commands.json ] || return 1
  for file in "${files[@]}"; do
    grep -qF "\"file\": \"$(readlink -f "$file")\"" compile_commands.json || return 1
  done
}
has_commands || tools/compile_commands.sh
has_commands || echo "Bazel compiles none of its targets with some of these files: they get the flags of files like them." >&2

# Compiler warnings are checked by g++: clang has other warnings, and does not know some options of g++. One process checks one
# file, as many at once as there are processors; xargs ends with 123 if one of them found something.
printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P "${JOBS:-$(nproc)}" clang-tidy -p . --quiet --use-color=false \
  --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-everything || exit 1
echo "${#files[@]} files, nothing found" >&2
