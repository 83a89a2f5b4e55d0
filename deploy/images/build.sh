#!/bin/sh
# Builds a sandbox image: deploy/images/build.sh python|node [TAG]
#
# With BASE=IMAGE it begins with that image. Without, it makes a base of Debian's packages with mmdebstrap, from where this machine's apt gets them: no
# registry of images is needed. The default TAG is localhost/syla/NAME:VERSION.
set -eu

say() { printf '%s\n' "$*" >&2; }

folder=$(CDPATH='' cd -P "$(dirname "$0")" && pwd)
name=${1:-}
case $name in
  python) packages=python3 version=3.11 ;;
  node) packages=nodejs,python3-minimal version=18 ;;
  *)
    say "usage: deploy/images/build.sh python|node [TAG]"
    exit 2
    ;;
esac
tag=${2:-localhost/syla/$name:$version}

for program in buildah ${BASE:-mmdebstrap}; do
  case $program in
    buildah | mmdebstrap) command -v "$program" >/dev/null || {
      say "$program is not installed. As root: apt-get install $program"
      exit 1
    } ;;
  esac
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ -z "${BASE:-}" ]; then
  say "makes a base of Debian's packages: $packages"
  mmdebstrap --quiet --variant=essential --include="$packages" --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    bookworm "$work/base.tar"
  container=$(buildah from scratch)
  buildah add --quiet "$container" "$work/base.tar" / >/dev/null
  buildah commit --quiet --rm "$container" "localhost/syla/base-$name" >/dev/null
  BASE=localhost/syla/base-$name
fi
mkdir "$work/context"
buildah build --quiet --isolation chroot --format docker --build-arg BASE="$BASE" --file "$folder/$name.Dockerfile" --tag "$tag" "$work/context" >/dev/null
printf '%s\n' "$tag"
