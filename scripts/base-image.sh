#!/usr/bin/env bash
# Makes the base image that the Dockerfile names where no registry of images can be reached: Debian by debootstrap, Node and
# npm from their npm packages. Takes the mirror that apt uses, the registry that npm uses, and this machine's CA bundle.
# Usage, as root: scripts/base-image.sh [TAG]
set -euo pipefail
cd "$(dirname "$0")/.."
tag=${1:-$(sed -n 's/^ARG BASE_IMAGE=//p' Dockerfile)}
if [[ ! $tag =~ :([0-9]+)-([a-z]+)-slim$ ]]; then
  echo "$tag: expected something like node:24-bookworm-slim" >&2
  exit 2
fi
node_major=${BASH_REMATCH[1]} suite=${BASH_REMATCH[2]}
for tool in docker debootstrap npm; do
  command -v "$tool" >/dev/null || { echo "$tool is needed to make $tag" >&2; exit 2; }
done
[ "$(id -u)" = 0 ] || { echo "debootstrap, which makes $tag, needs root" >&2; exit 2; }

work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT
root=$work/root

# The first archive apt is set up with; Debian's own default elsewhere.
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null | sed -n 1p || true)
debootstrap --variant=minbase --include=ca-certificates "$suite" "$root" ${mirror:+"$mirror"} >"$work/log" 2>&1 || {
  tail -n 5 "$work/log" >&2
  exit 1
}

case $(uname -m) in
  x86_64) arch=x64 ;;
  aarch64) arch=arm64 ;;
  *) echo "no Node package for $(uname -m)" >&2; exit 2 ;;
esac
unpack() { # NAME@VERSION DIRECTORY
  local file
  file=$(cd "$work" && npm pack --silent "$1" | tail -n 1)
  mkdir -p "$2"
  tar -xzf "$work/$file" -C "$2" --strip-components=1 --no-same-owner
}
unpack "node-linux-$arch@$node_major" "$work/node"
install -m 755 "$work/node/bin/node" "$root/usr/local/bin/node"
unpack npm@11 "$root/usr/local/lib/node_modules/npm"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
# Behind a proxy with a certificate of its own, npm in the image must know that one, too.
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"

chroot "$root" useradd --uid 1000 --user-group --create-home --shell /bin/bash node
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,man,locale,info}/* \
  "$root"/var/log/*.log "$root"/etc/hostname "$root"/etc/resolv.conf

version=$(chroot "$root" node --version)
tar -C "$root" -c . | docker import -c 'ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt' \
  -c 'CMD ["node"]' - "$tag" >/dev/null
echo "Made $tag: Debian $suite, Node $version"
