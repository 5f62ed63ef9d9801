#!/usr/bin/env bash
# Every test: sets up, then builds and tests with ThreadSanitizer, with AddressSanitizer and
# UndefinedBehaviorSanitizer, and last the optimised build. Arguments go to ctest. PRECIPICE_TEST_PRESETS="release" runs
# one build only, with every test. While one build is tested, the next is compiled at the lowest priority; what tests
# alone need is installed while the first is compiled.
set -euo pipefail
unset CDPATH  # which would make `cd` print where it went
cd "$(dirname "$(readlink -f "$0")")/.."
scripts/setup build

read -ra presets <<<"${PRECIPICE_TEST_PRESETS:-tsan asan release}"
if ! logs=$(mktemp -d 2>/dev/null); then
  echo "precipice: cannot write in ${TMPDIR:-/tmp}: set TMPDIR to a directory that can be written" >&2
  exit 5
fi
compiling=
setting_up=
clean_up() {
  if [ -n "$compiling" ]; then kill -- -"$compiling" 2>/dev/null || true; fi
  if [ -n "$setting_up" ]; then wait "$setting_up" || true; fi  # an installation that is cut off leaves dpkg to be mended
  rm -rf "$logs"
}
trap clean_up EXIT
scripts/setup tests >"$logs/setup" 2>&1 &
setting_up=$!

# The optimised build leaves to AddressSanitizer's what has one thread and no long computation: once is enough. Beside
# that build its tests share processes too, unless ctest is to choose among them.
shards=32
if [ $# -gt 0 ]; then shards=0; fi
options_of() {
  case "$1 ${presets[*]}" in
    "release "*asan*) echo "-DPRECIPICE_TESTS=THREADS;COMPUTES -DPRECIPICE_TEST_SHARDS=$shards" ;;
  esac
}

compile() {
  local log
  local -a options
  read -ra options <<<"$(options_of "$1")"
  log=$(cmake --preset "$1" "${options[@]}" 2>&1) || { printf '%s\n' "$log"; return 1; }
  cmake --build --preset "$1"
}

failed=()
for i in "${!presets[@]}"; do
  preset=${presets[i]}
  printf '\n== %s ==\n' "$preset"
  if [ -z "$compiling" ]; then
    compile "$preset"
  else
    wait "$compiling" || { cat "$logs/$preset"; exit 1; }
    compiling=
    tail -n 1 "$logs/$preset"
  fi
  next=${presets[i + 1]:-}
  if [ -n "$next" ]; then
    set -m  # a process group of its own, which can be ended with all its compilers
    (renice -n 19 -p "$BASHPID" >/dev/null && compile "$next") >"$logs/$next" 2>&1 &
    compiling=$!
    set +m
  fi
  if [ -n "$setting_up" ]; then
    status=0
    wait "$setting_up" || status=$?
    setting_up=
    cat "$logs/setup"
    [ "$status" -eq 0 ] || exit "$status"
  fi
  # Most tests wait more than they compute, and none judges by time, so several can share the CPUs.
  ctest --preset "$preset" --parallel 4 "$@" || failed+=("$preset")
done
if [ ${#failed[@]} -gt 0 ]; then
  # Once more, with the ends of their output, since an earlier build's lies thousands of lines above.
  for preset in "${failed[@]}"; do
    printf 'precipice: tests failed in %s:\n' "$preset" >&2
    cat "build/$preset/Testing/Temporary/LastTestsFailed.log" >&2
    awk '/^[0-9]+\/[0-9]+ Testing: / { n = 0 }
         { line[n++] = $0 }
         /^Test Failed\.$|^Test timed out/ { for (i = n > 40 ? n - 40 : 0; i < n; ++i) print line[i] }' \
      "build/$preset/Testing/Temporary/LastTest.log" >&2
  done
  exit 1
fi
