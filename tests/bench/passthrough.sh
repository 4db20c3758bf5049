#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds libfuse's own example passthrough_hp, a peer of bench.sh: the least that a FUSE file system can do. It isn't in
# any package, so it's made of Debian's source of the libfuse that is installed. This machine's own list of package sources
# is neither used nor changed; nothing of libfuse comes into this repository.
#
# Usage: passthrough.sh DIR       builds DIR/passthrough_hp, or leaves it when it's there; exits with 1 when it can't
set -eu

[ $# = 1 ] || { echo "usage: $0 DIR" >&2; exit 2; }
mkdir -p "$1"
cd "$1"
dir=$PWD
[ ! -x passthrough_hp ] || exit 0

die() { echo "$0: $*" >&2; exit 1; }

for compiler in "${CXX:-}" g++ c++ clang++; do
	[ -z "$compiler" ] || ! command -v "$compiler" >/dev/null || break
	compiler=
done
[ -n "$compiler" ] || die "there's no C++ compiler"
pkg-config --exists fuse3 || die "libfuse3-dev isn't installed"
command -v apt-get >/dev/null || die "there's no apt-get"

# Debian's name of the release, and the version without Debian's part (the example is never patched).
codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
version=$(dpkg-query -W -f '${source:Upstream-Version}' libfuse3-dev)
work=$(mktemp -d "$dir/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
chmod 755 "$work" # apt drops to a user of its own where it's root
mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/source"
echo "deb-src http://deb.debian.org/debian ${codename:-stable} main" >"$work/sources.list"

private_apt() {
	timeout 300 apt-get -q -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=- -o Dir::State::lists="$work/lists" \
		-o Dir::Cache::archives="$work/archives" -o Dir::Cache::pkgcache='' -o Dir::Cache::srcpkgcache='' \
		-o APT::Sandbox::User=root -o APT::Get::List-Cleanup=0 "$@"
}

private_apt update >"$work/log" 2>&1 || die "no list of sources: $(tail -n 1 "$work/log")"
(cd "$work/source" && private_apt source --download-only --only-source fuse3) >"$work/log" 2>&1 ||
	die "no source: $(tail -n 1 "$work/log")"
tarball=$(find "$work/source" -name "fuse3_$version.orig.tar.*" ! -name '*.asc' | head -n 1)
[ -n "$tarball" ] || die "Debian's source isn't that of libfuse $version, which is installed"
mkdir "$work/fuse"
tar -xf "$tarball" -C "$work/fuse" --strip-components=1

cd "$work/fuse/example"
# What meson would find out: without, the example refuses times, extended attributes and fallocate.
has=(-DHAVE_UTIMENSAT -DHAVE_SETXATTR -DHAVE_POSIX_FALLOCATE)
# shellcheck disable=SC2046 # a list of words
"$compiler" -O2 -std=c++17 -I. "${has[@]}" -o "$work/passthrough_hp" passthrough_hp.cc \
	$(pkg-config --cflags --libs fuse3) -lpthread \
	>"$work/log" 2>&1 || die "it doesn't build: $(grep -m 1 error "$work/log" || tail -n 1 "$work/log")"
mv "$work/passthrough_hp" "$dir/passthrough_hp"
