#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 5400
# tests/guest: systemd, udev, logind, mount(8) and the end of the power, in a virtual Debian. The limit is for a machine that
# has other work; alone it takes a sixth of it.
. "$(dirname "$0")/../lib.sh"
requires_root
requires qemu-system-x86_64 mmdebstrap busybox cpio lz4 mke2fs xorriso

"$TESTS/guest/build.sh" "$BUILD/guest"
make -s -C "$TOP" BUILD="$BUILD" install DESTDIR="$T/tree" PREFIX=/usr
"$TESTS/guest/systemd.py" "$BUILD/guest" "$T/tree"
