#!/usr/bin/env bash
# Writes compile_commands.json for editors and clang tools, from the commands that Bazel would run.
#
#   tools/compile_commands.sh [TARGET...]        everything when no target is given
#
# Generated headers (.pb.h) exist once the targets have been built.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
. tools/setup.sh

[ $# -gt 0 ] || set -- //...
write_machine_rc
root=$(pwd)
folder=$(run_bazel info execution_root 2>/dev/null)

# The text form of aquery has one argument per line, quoted for the shell. A line ends with " \",
# the last one with ")".
run_bazel aquery --config=apart --noshow_progress "mnemonic(\"CppCompile\", $(printf ' + %s' "$@" | cut -c4-))" |
  awk -v root="$root" -v folder="$folder" '
    function json(text) { gsub(/\\/, "\\\\\\\\", text); gsub(/"/, "\\\\\"", text); return "\"" text "\"" }
    function unquoted(text) {
      if (text ~ /^'\''.*'\''$/) text = substr(text, 2, length(text) - 2)
      return text
    }
    function finish() {
      if (source ~ /^external\// || source in seen) return
      seen[source] = 1
      printf "%s\n  {\"directory\": %s, \"file\": %s, \"arguments\": [%s]}", comma, json(folder),
        json(source ~ /^bazel-out\// ? folder "/" source : root "/" source), arguments
      comma = ","
    }
    BEGIN { printf "[" }
    /^  Command Line: \(exec / { reading = 1; arguments = ""; source = ""; sub(/^  Command Line: \(exec /, "") }
    reading {
      last = /\)$/ && !/ \\$/
      sub(/^ +/, "")
      if (last) sub(/\)$/, ""); else sub(/ \\$/, "")
      word = unquoted($0)
      # clang does not know this option of gcc.
      if (word != "-fno-canonical-system-headers") arguments = arguments (arguments == "" ? "" : ", ") json(word)
      if (previous == "-c") source = word
      previous = word
      if (last) { reading = 0; finish() }
    }
    END { print "\n]" }' >compile_commands.json.new
mv compile_commands.json.new compile_commands.json
say "compile_commands.json: $(grep -c '"file"' compile_commands.json) files."
