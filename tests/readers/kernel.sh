#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Unpacks Debian's kernel for virtual machines, without installing it, and compiles the program that runs on it.
#   kernel.sh DIR: afterwards DIR/vmlinux, DIR/modules/ and DIR/init are there. What is there already stays.
set -eu
export LC_ALL=C # a kernel is no UTF-8
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
cd "$1"

fetch() {
	local package offset
	package=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null | sed -n 's/^ *Depends: \(linux-image-\)/\1/p' | head -n 1)
	if [ -z "$package" ]; then # as in an image of Debian whose lists were thrown away
		apt-get update -q
		package=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/^ *Depends: \(linux-image-\)/\1/p' | head -n 1)
	fi
	apt-get download -q "$package" || { apt-get update -q && apt-get download -q "$package"; }
	rm -rf unpacked
	dpkg -x linux-image-*.deb unpacked
	# The bzImage is a loader and the kernel compressed with LZ4 (legacy frames). Without the loader it starts faster.
	offset=$(grep -abo -m 1 -P '\x02\x21\x4c\x18' unpacked/boot/vmlinuz-* | head -n 1 | cut -d : -f 1)
	tail -c +$((offset + 1)) unpacked/boot/vmlinuz-* | lz4 -dcq >vmlinux.new 2>/dev/null || true # what follows is no LZ4
	[ "$(head -c 4 vmlinux.new | tail -c 3)" = ELF ]
	mkdir -p modules
	find unpacked/lib/modules -name '*.ko' -exec cp -t modules {} +
	rm -rf unpacked linux-image-*.deb
	mv vmlinux.new vmlinux
}

[ -s vmlinux ] || fetch
if [ ! -x init ] || [ "$here/guest.c" -nt init ]; then
	${CC:-gcc} -O2 -static -std=c11 -Wall -Wextra -Werror -D_GNU_SOURCE -o init.new "$here/guest.c"
	mv init.new init
fi
