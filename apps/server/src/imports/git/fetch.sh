# Reads a repository for the server: `refs` lists what it has, `fetch` leaves the files of one commit in /output/files.tar. Nothing of the
# repository is run: no hooks, filters, submodules or settings of it. URL, REF (a full name or a hash) and FOLDER come in variables.
set -eu
export HOME=/tmp GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_TERMINAL_PROMPT=0 GIT_ASKPASS=/bin/false GIT_ALLOW_PROTOCOL=https:http
export GIT_LFS_SKIP_SMUDGE=1 LC_ALL=C
helper=
[ ! -e login ] || helper="!sh $PWD/login.sh"
run_git() { git -c core.hooksPath=/dev/null -c protocol.version=2 -c http.followRedirects=initial -c "credential.helper=$helper" -c core.fsmonitor=false -c gc.auto=0 "$@"; }
if [ "$MODE" = refs ]; then
  run_git ls-remote --symref -- "$URL" HEAD 'refs/heads/*' 'refs/tags/*'
  exit
fi
run_git init --quiet --bare /tmp/repository
cd /tmp/repository
printf '* -export-ignore -export-subst -text -filter -ident\n' >info/attributes
run_git fetch --quiet --depth 1 --no-tags --no-recurse-submodules --no-write-fetch-head -- "$URL" "+$REF:refs/heads/wanted"
run_git rev-parse 'refs/heads/wanted^{commit}' >/output/commit
if [ "$FOLDER" ]; then
  run_git rev-parse --quiet --verify "refs/heads/wanted:$FOLDER" >/dev/null || { echo 'syla: no such folder' >&2; exit 3; }
  run_git archive --format=tar --output=/output/files.tar "refs/heads/wanted:$FOLDER"
else
  run_git archive --format=tar --output=/output/files.tar refs/heads/wanted
fi
