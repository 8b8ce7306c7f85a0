#!/usr/bin/env bash
# Unpacks Docker Engine and GnuPG of a later Debian beside this machine's own, with the libraries they need, for tests with
# both. Nothing is installed, and the packages come from the mirror that apt is set up with.
# Usage, as root: scripts/next-debian.sh DIRECTORY [SUITE]; then PATH=DIRECTORY/bin:$PATH
set -euo pipefail
directory=${1:?a directory is needed} suite=${2:-trixie}
for tool in apt-get dpkg-deb patchelf; do
  command -v "$tool" >/dev/null || { echo "$tool is needed to unpack packages of Debian $suite" >&2; exit 2; }
done
mkdir -p "$directory"
directory=$(cd "$directory" && pwd)
root=$directory/root apt=$directory/apt
mkdir -p "$root" "$apt"/{lists,archives}/partial "$directory/bin"

mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | sed -n 1p)
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$apt/sources.list"
# A list of installed packages that is empty: apt chooses every library, down to libc.
: >"$apt/status"
from_suite() {
  apt-get -qq -o Dir::Etc::SourceList="$apt/sources.list" -o Dir::Etc::SourceParts=- -o Dir::State::Lists="$apt/lists" \
    -o Dir::State::status="$apt/status" -o Dir::Cache="$apt" -o APT::Sandbox::User=root "$@"
}
from_suite update
from_suite install --download-only --no-install-recommends -y docker.io docker-cli gpg gpg-agent >/dev/null
for package in "$apt"/archives/*.deb; do dpkg-deb --extract "$package" "$root"; done

# The programs find their own loader and libraries by absolute paths: they start others, and themselves, by their names.
loader=$(find "$root/usr/lib" -name 'ld-linux*.so.*' | sed -n 1p)
libraries=$(dirname "$(find "$root/usr/lib" -name 'libgcrypt.so.*' | sed -n 1p)")
for name in docker dockerd docker-proxy docker-init containerd containerd-shim-runc-v2 runc gpg gpg-agent gpgconf; do
  program=$(readlink -f "$(find "$root/usr/bin" "$root/usr/sbin" -name "$name" | sed -n 1p)")
  ln -sf "$program" "$directory/bin/$name"
  # Those that are linked statically have no interpreter.
  if patchelf --print-interpreter "$program" >/dev/null 2>&1; then
    patchelf --set-interpreter "$loader" --force-rpath --set-rpath "$libraries" "$program"
  fi
done
# GnuPG otherwise starts the agent of this machine.
printf 'rootdir = %s/usr\n.enable = true\n' "$root" >"$root/usr/bin/gpgconf.ctl"
rm -rf "$apt"
for name in dockerd containerd runc gpg; do "$directory/bin/$name" --version | sed -n 1p; done
