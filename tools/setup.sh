# shellcheck shell=bash
# Shared beginning of ./test and ./quickstart. Source it with the repository root as the current
# folder.
#
#   say TEXT            prints to stderr
#   ensure_packages     installs the packages of tools/packages.txt, or lists the missing ones and
#                       stops
#   write_machine_rc    writes machine.bazelrc: cache, output folder, versions of the packages
#   run_bazel ARGS...   runs Bazel with the startup options of this machine
#   announce NAME WHAT  says what will be built, and how long NAME took the last time on this
#                       machine
#   remember NAME SECONDS   stores that time, unless it was short

say() { printf '%s\n' "$*" >&2; }

listed_packages() { sed -e 's/#.*//' -e '/^[[:space:]]*$/d' tools/packages.txt; }

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# Lines "package  reason" for packages that are not installed.
missing_packages() {
  listed_packages | while read -r package _ reason; do
    if [ "$package" = libtorch-dev ] && [ -n "${LIBTORCH:-}" ]; then continue; fi
    installed "$package" || printf '%-22s %s\n' "$package" "$reason"
  done
}

# How to become root for apt-get: nothing, "sudo -n", or failure.
root_command() {
  if [ "$(id -u)" = 0 ]; then
    echo env
  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    echo "sudo -n env"
  else
    return 1
  fi
}

ensure_packages() {
  if ! command -v dpkg-query >/dev/null; then
    say "This is not a Debian system; tools/packages.txt names the libraries that must be present. Going on."
    return 0
  fi
  local missing names root
  missing=$(missing_packages)
  [ -n "$missing" ] || return 0
  names=$(printf '%s\n' "$missing" | awk '{ print $1 }' | tr '\n' ' ')
  say "Missing packages, and what each is for:"
  say "$missing"
  if ! root=$(root_command); then
    say "Installing them needs root once. Run:  sudo apt-get install --no-install-recommends $names"
    return 1
  fi
  say "Installing them with apt-get."
  $root apt-get update -qq </dev/null >&2 || say "apt-get update failed; trying with the lists at hand."
  # shellcheck disable=SC2086  # the names are separate words
  $root DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $names </dev/null >&2 || {
    say "apt-get could not install: $names"
    return 1
  }
}

writable_folder() { mkdir -p "$1" 2>/dev/null && [ -w "$1" ]; }

# The home folder, or a private folder below TMPDIR when the home folder is not writable.
home_folder() {
  if [ -n "${HOME:-}" ] && writable_folder "$HOME/.cache"; then
    echo "$HOME"
  else
    local fallback
    fallback="${TMPDIR:-/tmp}/unival-home-$(id -u)"
    writable_folder "$fallback/.cache" || { say "Neither HOME nor ${TMPDIR:-/tmp} can be written."; return 1; }
    echo "$fallback"
  fi
}

# Changes when a package is upgraded, so that nothing compiled with older headers is reused.
# Programs that are only called at run time do not count.
package_versions() {
  command -v dpkg-query >/dev/null || { echo unknown; return; }
  listed_packages | awk '$3 != "run" { print $1 }' | xargs dpkg-query -W -f '${Package} ${Version}\n' 2>/dev/null |
    sha256sum | cut -c1-16
}

write_machine_rc() {
  HOME=$(home_folder) || return 1
  export HOME
  {
    echo "# Written by tools/setup.sh; put your own options into user.bazelrc."
    echo "build --disk_cache=$HOME/.cache/unival-bazel"
    echo "build --action_env=UNIVAL_PACKAGE_VERSIONS=$(package_versions)"
  } >machine.bazelrc.new
  cmp -s machine.bazelrc.new machine.bazelrc || cp machine.bazelrc.new machine.bazelrc
  rm -f machine.bazelrc.new
}

run_bazel() {
  local command=$1
  shift
  # shellcheck disable=SC2086  # UNIVAL_BAZEL_STARTUP holds separate words, e.g. --output_base=/folder
  bazel --output_user_root="$HOME/.cache/bazel/_bazel_$(id -un)" ${UNIVAL_BAZEL_STARTUP:-} "$command" "$@"
}

# A number of seconds as words.
duration() {
  if [ "$1" -lt 120 ]; then echo "$1 s"; else echo "$(($1 / 60)) min $(($1 % 60)) s"; fi
}

times_file() { echo "${HOME:-${TMPDIR:-/tmp}}/.cache/unival-times"; }

announce() {
  local last
  last=$(awk -v name="$1" '$1 == name { seconds = $2 } END { print seconds }' "$(times_file)" 2>/dev/null)
  if [ -n "$last" ]; then
    say "$2 The last one of over a minute took $(duration "$last") here; what has not changed is not compiled again."
  else
    say "$2 The first time compiles everything: minutes on two cores. Bazel counts the steps below."
  fi
}

# A run that had little to do does not predict the time of the next one.
remember() {
  [ "$2" -ge 60 ] || return 0
  { grep -v "^$1 " "$(times_file)" 2>/dev/null; echo "$1 $2"; } >"$(times_file).new" && mv "$(times_file).new" "$(times_file)"
}
