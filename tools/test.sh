#!/bin/sh
# Installs what the tests need, runs them all (or those that the arguments name), and closes with `N passed, N failed`.
set -eu

root=$(CDPATH='' cd -P "$(dirname "$0")/.." && pwd)
# shellcheck source=tools/setup.sh
. "$root/tools/setup.sh"

ensure_node
ensure_modules
try_system bubblewrap python3 chromium redis-server python3-swift buildah docker-registry qemu-system-x86 squashfs-tools runsc
for name in $missing; do
  # shellcheck disable=SC2086
  how=$(install_command $missing) || true
  case $name in
    chromium) say "skipping the browser tests: chromium is not installed. As root: $how" ;;
    python3-swift) say "skipping the tests with an S3 service: OpenStack Swift is not installed. As root: $how" ;;
    qemu-system-x86 | squashfs-tools) say "skipping the tests with virtual machines: $name is not installed. As root: $how" ;;
    runsc) say "skipping the tests with gVisor: runsc is not installed. As root: $how" ;;
    redis-server) say "skipping the tests with Redis: redis-server is not installed. As root: $how" ;;
    *) say "skipping the tests that need the sandbox: $name is not installed. As root: $how" ;;
  esac
done
(try_languages) || say "some languages could not be installed; their tests are skipped"
(install_uv) || say "uv could not be fetched; the tests of Python environments are skipped"
ensure_web
ensure_cli
unlock

results=$build/test-results.json
rm -f "$results" "$results.again"
cd "$root"
PATH=$node_bin:$PATH
export PATH
# vitest_run REPORT ARGUMENTS…
vitest_run() {
  report=$1
  shift
  "$node" "$root/node_modules/vitest/vitest.mjs" run --reporter=default --reporter=json --outputFile.json="$report" "$@"
}

code=0
vitest_run "$results" "$@" || code=$?
set -- "$results" "$code"
# On the machine that checks, files that failed run once more, and what passes only then is named as flaky (docs/decisions/0037).
if [ "$code" -ne 0 ] && [ "${CI:-}" ]; then
  again=$("$node" "$root/tools/test-summary.ts" --again "$results")
  if [ "$again" ]; then
    printf 'Run once more: %s\n' "$(printf '%s' "$again" | tr '\n' ' ')"
    code=0
    # shellcheck disable=SC2086 # file names of this repository have no spaces
    vitest_run "$results.again" $again || code=$?
    set -- "$@" "$results.again" "$code"
  fi
fi
"$node" "$root/tools/test-summary.ts" "$@"
