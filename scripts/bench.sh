#!/usr/bin/env bash
# The main job on a fresh machine: installs what is missing, builds, runs the quick suite, draws its charts, makes its
# report and prints its table. Arguments go to `precipice run`; a suite among them (a path or a name) replaces quick.
# Can be run from any directory, and again at no cost: what is built stays built, and a run that was interrupted
# goes on where it stopped.
set -euo pipefail
unset CDPATH  # which would make `cd` print where it went
root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
"$root/scripts/setup"

build() {
  (cd "$root" && cmake --preset release && cmake --build --preset release --target precipice)
}
[ -x "$root/build/release/precipice" ] || echo "precipice: building, about three minutes on 2 CPUs" >&2
if ! log=$(build 2>&1); then
  printf '%s\n' "$log" >&2
  exit 1
fi

suite=("$root/workloads/suites/quick.toml")
for argument in "$@"; do
  case $argument in
    *.toml) suite=() ;;
    -*) ;;
    *) [ ! -e "$root/workloads/suites/$argument.toml" ] || suite=() ;;
  esac
done

# The run writes the name of its directory there; its output stays its own, on a terminal as in a pipe.
if ! record=$(mktemp 2>/dev/null); then
  echo "precipice: cannot write in ${TMPDIR:-/tmp}: set TMPDIR to a directory that can be written" >&2
  exit 5
fi
trap 'rm -f "$record"' EXIT
status=0
PRECIPICE_DIRECTORY_FILE=$record "$root/build/release/precipice" run "${suite[@]}" "$@" || status=$?
directory=$(cat "$record")
# A cell without a valid measurement (3) or a model that this machine lacks (4) leaves the rest worth drawing.
case $status in
  0 | 3 | 4)
    if [ -n "$directory" ]; then
      # Where nothing is valid there is no chart, and the run's own code says so.
      "$root/scripts/plot.py" "$directory" >&2 || status=$((status == 3 ? status : $?))
      "$root/scripts/report.py" "$directory" >&2 || status=$?
    fi
    ;;
esac
exit "$status"
