#!/usr/bin/env bash
# Every test: sets up, then builds and tests with AddressSanitizer and UndefinedBehaviorSanitizer, with
# ThreadSanitizer, and last the optimised build. Arguments go to ctest. PRECIPICE_TEST_PRESETS="release" runs
# one build only.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup

presets=${PRECIPICE_TEST_PRESETS:-"asan tsan release"}
failed=()
for preset in $presets; do
  printf '\n== %s ==\n' "$preset"
  log=$(cmake --preset "$preset" 2>&1) || { printf '%s\n' "$log"; exit 1; }
  cmake --build --preset "$preset"
  # Most tests wait more than they compute, and none judges by time, so several can share the CPUs.
  ctest --preset "$preset" --parallel 4 "$@" || failed+=("$preset")
done
if [ ${#failed[@]} -gt 0 ]; then
  printf 'precipice: tests failed in: %s\n' "${failed[*]}" >&2
  exit 1
fi
