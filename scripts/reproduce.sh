#!/usr/bin/env bash
# Runs another's suite again on this machine and says, claim by claim, whether it is confirmed.
#
#     scripts/reproduce.sh RUN_OR_BUNDLE [--budget 20m] [further arguments of `precipice run`]
#
# RUN_OR_BUNDLE is an archive of `precipice bundle`, such an archive unpacked, a run's directory, or a suite's (its
# newest finished run). What counts is shape: order, ratios, the cliff as a share of saturation. Rates are a machine's
# own. --binary FILE measures with that program instead of building one; --json prints one document.
#
# Exit codes: 0 every claim is confirmed; 1 one is not; 3 none is refuted and one is undecided; 2 wrong usage, or an
# archive that is damaged; 5 no room to unpack it; others as of `precipice run`. What was interrupted goes on where it
# stopped.
set -euo pipefail
unset CDPATH  # which would make `cd` print where it went
root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)

fail() {
  printf 'reproduce.sh: %s\n' "$1" >&2
  exit "${2:-2}"
}

# A name in a message: one word of a shell, which holds nothing that acts on a terminal.
word() {
  local LC_ALL=C
  printf '%q' "$1"
}

original='' run='' binary='' json=() arguments=()
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help)
      sed -n '2,/^set -e/{s/^# \{0,1\}//p}' "$0"
      exit 0
      ;;
    --binary)
      [ $# -ge 2 ] || fail "--binary takes a file"
      binary=$2
      shift
      ;;
    --json) json=(--json) ;;
    --budget | --blocks | --only | --out | --generator-cpus | --model-cpus)
      [ $# -ge 2 ] || fail "$1 takes a value"
      arguments+=("$1" "$2")
      shift
      ;;
    -*) arguments+=("$1") ;;
    *)
      [ -z "$original" ] || fail "one run or bundle at a time: $(word "$original"), or $(word "$1")?"
      original=$1
      ;;
  esac
  shift
done
[ -n "$original" ] || fail "which run or bundle? scripts/reproduce.sh --help"

if [ -z "$binary" ]; then
  "$root/scripts/setup"
  binary=$root/build/release/precipice
  [ -x "$binary" ] || echo "reproduce.sh: building, about three minutes on 2 CPUs" >&2
  if ! log=$(cd "$root" && { cmake --preset release && cmake --build --preset release --target precipice; } 2>&1); then
    printf '%s\n' "$log" >&2
    exit 1
  fi
fi
[ -x "$binary" ] || fail "$(word "$binary") is no program"

work=$(mktemp -d 2>/dev/null) ||
  fail "cannot write in $(word "${TMPDIR:-/tmp}"): set TMPDIR to a directory that can be written" 5
trap 'rm -rf "$work"' EXIT

# Archives and what was unpacked from them carry the checksums of all that is in them. Names in them are somebody
# else's: `cat -v` lets none steer the terminal.
verify() {
  local problems
  problems=$(cd -- "$1" && LC_ALL=C sha256sum --quiet --check SHA256SUMS 2>&1 | cat -v) && return
  fail "$(word "$original") is damaged or was changed:"$'\n'"$problems"
}
# The newest finished run in a suite's directory, there or below results/, as every verb finds it.
find_run() {
  local place manifests i
  for place in "$original" "results/$original"; do
    if [ -f "$place/manifest.json" ]; then
      run=$place
      return
    fi
    manifests=("$place"/*/manifest.json)  # in the order of names, which begin with the time
    for ((i = ${#manifests[@]} - 1; i >= 0; --i)); do
      if grep -qs '^ *"finished": true' "${manifests[i]}"; then
        run=${manifests[i]%/manifest.json}
        return
      fi
    done
  done
}
if [ -f "$original" ]; then
  mkdir "$work/unpacked"
  if ! LC_ALL=C tar -xzf "$original" -C "$work/unpacked" 2>"$work/log"; then
    if grep -qE 'No space left on device|Disk quota exceeded|Read-only file system' "$work/log"; then
      fail "no room in $(word "${TMPDIR:-/tmp}") to unpack $(word "$original"): set TMPDIR to a directory that has some" 5
    fi
    fail "$(word "$original") is no archive of \`precipice bundle\`: $(grep -v '^$' "$work/log" | head -n 1 | cat -v)"
  fi
  unpacked=("$work/unpacked"/*/)
  if [ ${#unpacked[@]} -ne 1 ] || [ ! -f "${unpacked[0]}SHA256SUMS" ] || [ ! -d "${unpacked[0]}run" ]; then
    fail "$(word "$original") is no archive of \`precipice bundle\`: it has no SHA256SUMS beside run/"
  fi
  verify "${unpacked[0]}"
  run=${unpacked[0]}run
elif [ -f "$original/SHA256SUMS" ] && [ -d "$original/run" ]; then
  verify "$original"
  run=$original/run
else
  "$binary" show "$original" >/dev/null || exit $?
  find_run
  [ -n "$run" ] || fail "$(word "$original") holds no finished run"
fi

# The run writes the name of its directory there. Its progress is no part of the answer when that is JSON.
record=$work/directory
status=0
if [ ${#json[@]} -gt 0 ]; then
  PRECIPICE_DIRECTORY_FILE=$record "$binary" run "$run/suite.toml" "${arguments[@]}" >&2 || status=$?
else
  PRECIPICE_DIRECTORY_FILE=$record "$binary" run "$run/suite.toml" "${arguments[@]}" || status=$?
fi
# A cell without a valid measurement (3) or one that this machine lacks (4) leaves the other claims to be judged.
case $status in
  0 | 3 | 4) [ -s "$record" ] || exit "$status" ;;
  *) exit "$status" ;;
esac
[ ${#json[@]} -gt 0 ] || echo
status=0
"$binary" check "$(cat "$record")" --claims-of "$run" "${json[@]}" || status=$?
exit "$status"
