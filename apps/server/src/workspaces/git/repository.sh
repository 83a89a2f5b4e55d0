# Works on the repository of a workspace for the server, in ./repository. MODE: `fetch` answers what a client of git asks on standard input;
# `commit` makes the commits of ./stream; `receive` looks at the pack that a client has sent, ./incoming. Nothing of the repository is run: no
# hooks, filters, submodules or settings of it. OLD and NEW are the tip before and after, COMPACT asks for one pack of everything. What may be
# large is on the disk: /tmp takes memory.
set -eu
export HOME=/tmp GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_COUNT=0 GIT_TERMINAL_PROMPT=0 GIT_NO_REPLACE_OBJECTS=1 LC_ALL=C
export GIT_DIR="$PWD/repository"
run_git() {
  git -c safe.directory='*' -c core.hooksPath=/dev/null -c core.fsmonitor=false -c gc.auto=0 -c pack.threads=1 -c pack.windowMemory=64m \
    -c core.bigFileThreshold=8m -c core.attributesFile=/dev/null -c log.showSignature=false "$@"
}
mkdir -p repository/refs/heads repository/objects/pack repository/objects/info
if [ "$MODE" = fetch ]; then
  run_git -c uploadpack.allowFilter=true -c uploadpack.allowAnySHA1InWant=false upload-pack --stateless-rpc --strict repository
  exit
fi
mkdir -p /output/new/pack
export GIT_OBJECT_DIRECTORY=/output/new GIT_ALTERNATE_OBJECT_DIRECTORIES="$PWD/repository/objects"
# Leaves the new objects, or everything that the tip $1 has, as one pack.
leave_pack() {
  if [ "$COMPACT" ]; then
    mkdir /output/one
    printf '%s\n' "$1" | run_git pack-objects --quiet --revs --delta-base-offset /output/one/pack >/dev/null
    rm -rf /output/new
    mv /output/one /output/new
  else
    mv /output/new/pack/*.pack /output/new/pack/*.idx /output/new
  fi
  mv /output/new/*.pack /output/pack
  mv /output/new/*.idx /output/index
  rm -rf /output/new
}
if [ "$MODE" = commit ]; then
  run_git -c fastimport.unpackLimit=0 fast-import --quiet --date-format=raw --force --export-marks=/output/marks <stream
  rm stream
  leave_pack "$(tail -n 1 /output/marks | cut -d' ' -f2)"
  exit
fi
run_git index-pack --strict --fix-thin --stdin --threads=1 <incoming >/dev/null || { echo 'syla: damaged' >&2; exit 3; }
rm incoming
[ "$(run_git cat-file -t "$NEW" 2>/dev/null)" = commit ] || { echo 'syla: no commit' >&2; exit 3; }
if [ "$OLD" ]; then
  run_git merge-base --is-ancestor "$OLD" "$NEW" || { echo 'syla: not forward' >&2; exit 3; }
fi
run_git rev-list --objects --quiet "$NEW" ${OLD:+"^$OLD"} || { echo 'syla: not whole' >&2; exit 3; }
# Git knows the empty tree without having it.
before=${OLD:-4b825dc642cb6eb9a060e54bf8d69288fbee4904}
number=100
: >/tmp/wanted
for commit in $(run_git rev-list --first-parent --max-count="$VERSIONS" --reverse "$NEW" ${OLD:+"^$OLD"}); do
  number=$((number + 1))
  run_git show --no-patch --no-notes --no-mailmap --encoding=UTF-8 --format='%H%n%an%n%B' "$commit" | head -c 65536 >"/output/commit-$number"
  # A few small trees, each many times in the next, are a list of files without an end: it is cut.
  { run_git diff-tree -r -z --no-renames --no-ext-diff "$before" "$commit" || : >/tmp/cut; } | head -c "$FACTS" >"/output/diff-$number"
  [ ! -e /tmp/cut ] || { echo 'syla: too many changes' >&2; exit 3; }
  tr '\0\n' '\n ' <"/output/diff-$number" | sed -n 's/^:[0-9]* [0-9]* [0-9a-f]* \([0-9a-f]\{40\}\) [AMT].*/\1/p' >>/tmp/wanted
  before=$commit
done
sort -u /tmp/wanted >/tmp/contents
run_git cat-file --buffer --batch </tmp/contents >/output/contents
leave_pack "$NEW"
