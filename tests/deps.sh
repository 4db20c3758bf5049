#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Installs the Debian packages that are missing, and says which; silent and quick where none is.
#   tests/deps.sh build|check|bench|lint…     sets of packages; each begins with those of build
set -eu
declare -A sets=(
	[build]="gcc make pkg-config libc6-dev libfuse3-dev fuse3 libisofs-dev libburn-dev libsqlite3-dev libssl-dev libudev-dev libseccomp-dev libsystemd-dev scdoc"
	[demo]="rsync xorriso attr"
	[check]="libcmocka-dev rsync xorriso genisoimage attr acl libarchive-tools jq python3 sqlite3 procps valgrind clang cpio zip unzip git fio vim-tiny zsh bsdutils libxml2-utils openssl librsvg2-bin libglib2.0-bin file fuse-overlayfs e2fsprogs perl patch cdrskin xz-utils libudfread-dev udftools dbus python3-dbusmock wodim growisofs dvd+rw-tools sg3-utils p7zip-full libcdio-utils fuseiso python3-pycdlib qemu-system-x86 lz4 man-db mandoc"
	[bench]="rsync xorriso fuse-overlayfs python3 procps strace g++ git"
	[deb]="debhelper dpkg-dev fakeroot libcmocka-dev"
	[check-deb]="lintian util-linux"
	[fuzz]="clang libclang-rt-dev"
	[guest]="qemu-system-x86 mmdebstrap busybox-static cpio lz4 e2fsprogs xorriso"
	[desktop]="xvfb xdotool openbox x11-utils xclip imagemagick dbus udisks2 gvfs gvfs-daemons libglib2.0-bin thunar pcmanfm libfm-modules mousepad nautilus python3-nautilus dolphin zenity dunst libnotify-bin xdg-utils librsvg2-bin jq xorriso"
	[lint]="clang-format shellcheck cppcheck universal-ctags desktop-file-utils"
)

wanted=${sets[build]}
for set in "$@"; do
	if [ -z "${sets[$set]:-}" ]; then
		echo "$0: there is no set of packages '$set'" >&2
		exit 1
	fi
	wanted+=" ${sets[$set]}"
done

missing=()
for package in $wanted; do
	dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

echo "These packages are missing and will be installed: ${missing[*]}"
if ! command -v apt-get >/dev/null; then
	echo "There is no apt-get here: install what corresponds to them, then go on." >&2
	exit 1
fi
as_root=()
if [ "$(id -u)" != 0 ]; then
	if ! command -v sudo >/dev/null; then
		echo "That needs root. As root: apt-get install ${missing[*]}" >&2
		exit 1
	fi
	as_root=(sudo)
fi
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -q
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
