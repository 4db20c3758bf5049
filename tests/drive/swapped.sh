#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A disc that is taken out of a mounted drive, or replaced by another: the other's content never shows, nothing is burned to
# it, and all goes on when the right one is back.
. "$(dirname "$0")/lib_drive.sh"
requires_fuse

mount_drive() {
	mkdir -p mnt
	sim discfs /dev/sr0 mnt
	daemon_of mnt >"$T/.daemon-mnt"
}

# What was read a moment ago is trusted for 3 s: no hand is faster.
swap() { # FILE
	mmcsim insert "$MMCSIM/sr0" "$1"
	sleep 3.2
}

burn() { # FILE NAME
	new_disc dvd+r 60000 "$1"
	mount_drive
	for n in 1 2 3; do
		head -c 300000 /dev/urandom >"mnt/$2$n"
		cp "mnt/$2$n" "$2$n"
	done
	commit mnt
	unmount mnt
}

burn right right
burn other other
cp other before
mmcsim insert "$MMCSIM/sr0" right
mount_drive
assert_same_bytes mnt/right1 right1
echo new >mnt/new

swap other
assert_match "$(cat mnt/right2 2>&1 >/dev/null || true)" "Stale file handle"
assert_exit 11 discfsctl commit mnt
assert_equal "$(cat mnt/new)" new
assert_equal "$(discfsctl diff mnt)" "A new"

mmcsim remove "$MMCSIM/sr0"
sleep 3.2
assert_match "$(cat mnt/right2 2>&1 >/dev/null || true)" "No medium found"
assert_exit 10 discfsctl commit mnt

swap right
assert_same_bytes mnt/right2 right2
assert_same_bytes mnt/right3 right3
commit mnt
unmount mnt
cmp other before || fail "the other disc was changed"

# Staged work belongs to its disc.
mount_drive
echo more >mnt/more
unmount mnt
mmcsim insert "$MMCSIM/sr0" other
mount_drive
assert_equal "$(ls mnt)" "$(printf 'other1\nother2\nother3')"
assert_equal "$(discfsctl diff mnt)" ""
unmount mnt
mmcsim insert "$MMCSIM/sr0" right
mount_drive
assert_equal "$(discfsctl diff mnt)" "A more"
unmount mnt
