#!/usr/bin/env bash
# Builds the library and the programs, and installs them below a prefix: tools/install.sh PREFIX
set -uo pipefail
if [ $# != 1 ] || [ "${1#-}" != "$1" ]; then
  echo "Usage: tools/install.sh PREFIX      builds UnIVAL and lays it out in the folder PREFIX" >&2
  exit 2
fi
prefix=$(realpath -m "$1")
cd "$(dirname "$(readlink -f "$0")")/.." || exit 1
. tools/setup.sh
ensure_packages && write_machine_rc && run_bazel run //:install -- "$prefix" </dev/null
