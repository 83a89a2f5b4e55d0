#!/bin/sh
# Installs what the tests need, runs them all (or those that the arguments name), and closes with `N passed, N failed`.
set -eu

root=$(CDPATH='' cd -P "$(dirname "$0")/.." && pwd)
# shellcheck source=tools/setup.sh
. "$root/tools/setup.sh"

ensure_node
ensure_modules
try_system bubblewrap python3 chromium redis-server
for name in $missing; do
  # shellcheck disable=SC2086
  how=$(install_command $missing) || true
  case $name in
    chromium) say "skipping the browser tests: chromium is not installed. As root: $how" ;;
    redis-server) say "skipping the tests with Redis: redis-server is not installed. As root: $how" ;;
    *) say "skipping the tests that need the sandbox: $name is not installed. As root: $how" ;;
  esac
done
(try_languages) || say "some languages could not be installed; their tests are skipped"
ensure_web
ensure_cli
unlock

results=$build/test-results.json
rm -f "$results"
cd "$root"
PATH=$node_bin:$PATH
export PATH
code=0
"$node" "$root/node_modules/vitest/vitest.mjs" run --reporter=default --reporter=json --outputFile.json="$results" "$@" || code=$?
"$node" "$root/tools/test-summary.ts" "$results" "$code"
exit "$code"
