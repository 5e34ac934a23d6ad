#!/usr/bin/env bash
# Copies headers and what they include: public_headers.sh NAMES FOLDER HEADER...
# NAMES has a line "NAME PATH api|inner" for each header of the tree: as it is included, where it lies, and whether its
# target belongs to the API. A header that is reached and does not belong there is an error.
set -euo pipefail
names=$1 folder=$2
shift 2

declare -A path owner copied
while read -r name file kind; do
  path[$name]=$file owner[$name]=$kind
done <"$names"

included() { sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*"\([^"]*\)".*/\1/p' "$1"; }

copy() { # header, who includes it
  [ -n "${path[$1]:-}" ] && [ -z "${copied[$1]:-}" ] || return 0
  copied[$1]=1
  if [ "${owner[$1]}" != api ]; then
    echo "$2 includes $1, whose target is not part of the API (packaging/BUILD); add it there or include less" >&2
    exit 1
  fi
  install -D -m 644 "${path[$1]}" "$folder/$1"
  local header
  while read -r header; do copy "$header" "$1"; done < <(included "${path[$1]}")
}

for root in "$@"; do
  [ -n "${path[$root]:-}" ] || { echo "public header $root: not among the headers of the API's targets" >&2; exit 1; }
  copy "$root" packaging/BUILD
done
