#!/bin/sh
# Runs a command of this checkout with its own Node and npm packages, installing them first when they are missing.
set -eu

root=$(CDPATH='' cd -P "$(dirname "$0")/.." && pwd)
# shellcheck source=tools/setup.sh
. "$root/tools/setup.sh"

ensure_node
ensure_modules
unlock

# shellcheck disable=SC2154 # set by ensure_node
PATH=$node_bin:$root/node_modules/.bin:$PATH
export PATH
exec "$@"
