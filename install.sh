#!/bin/sh
# Installs the command line of Syla with npm: sh install.sh [PACKAGE]
# PACKAGE is an archive that tools/package-cli.mjs has made, or a name that your npm knows; @syla/cli without it.
# Where the folder of npm's global packages is not yours, it goes below ~/.local. For a server, clone the repository and run ./syla up.
set -eu

package=${1:-@syla/cli}
node_major=24

say() { printf '%s\n' "$*" >&2; }

fail() {
  say "syla: $1"
  shift
  for line in "$@"; do say "  $line"; done
  exit 69
}

command -v node >/dev/null 2>&1 || fail "Node is not installed." "Install Node $node_major or newer (most distributions have it), and run this again."
node -e "process.exit(parseInt(process.versions.node) >= $node_major ? 0 : 1)" ||
  fail "Node $node_major or newer is needed; this is $(node --version)." "Install a newer one, and run this again."
command -v npm >/dev/null 2>&1 || fail "npm is not installed." "It comes with Node, or as a package of its own (apt-get install npm)."

prefix=$(npm prefix --global)
modules=$prefix/lib/node_modules
[ -d "$modules" ] || modules=$prefix/lib
[ -d "$modules" ] || modules=$prefix
if [ ! -w "$modules" ]; then
  prefix=${HOME:?HOME is not set}/.local
  say "syla: $modules is not yours to write, so that it is installed in $prefix"
fi

npm install --global --prefix "$prefix" --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error -- "$package" ||
  fail "npm could not install $package." "Check the connection to the registry that your npm is set up for: npm ping"

installed=$("$prefix/bin/syla" --version)
say "syla $installed is installed: $prefix/bin/syla"
case :$PATH: in
  *":$prefix/bin:"*) ;;
  *) say "Put it into your PATH: export PATH=\"$prefix/bin:\$PATH\"" ;;
esac
