#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 60
# Commits whose session is on the disc already when something fails: the mount tells what it can, takes no more
# changes, and the next mount brings it to an end; and when that can't be done either, what is staged stays within
# reach.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires jq setfattr xorriso sqlite3

make_disc disc.img dvd
mount_disc disc.img mnt
echo one >mnt/one
commit mnt ONE
unmount mnt

# --- the publication can't be stored
DISCFS_FAULT=phase-published-before:28 mount_disc disc.img mnt
echo two >mnt/two
assert_exit 13 discfsctl commit mnt
grep -q "the session is burned, but .* It is taken over when the disc is mounted again" out
assert_equal "$(cat mnt/two)" two
assert_fails "No space left on device" touch mnt/more
assert_exit 0 discfsctl status mnt
grep -q "nothing more can be staged" out
assert_exit 0 discfsctl diff mnt
assert_fails "unmount, and mount again" discfsctl commit mnt
unmount mnt
mount_disc disc.img mnt
assert_equal "$(cat mnt/two)" two
assert_equal "$(cat mnt/.discfs/changes)" ""
assert_equal "$(status mnt '.sessions | length')" 2
unmount mnt

# --- the daemon dies behind the head, and the next mount can't finish: what is staged belongs to the disc as it is
DISCFS_FAULT=phase-published-before:kill mount_disc disc.img mnt
echo three >mnt/three
assert_fails "" setfattr -n user.discfs.commit -v THREE mnt
await_end "$(cat .daemon-mnt)"
fusermount3 -uz mnt
DISCFS_FAULT=check-start:5 mount_disc disc.img mnt
assert_equal "$(cat mnt/.discfs/changes)" "A three"
echo four >mnt/four
unmount mnt
mount_disc disc.img mnt
assert_equal "$(cat mnt/.discfs/changes)" "A four
A three"
commit mnt FOUR
unmount mnt
check_state
extract_xorriso disc.img extracted
assert_equal "$(cat extracted/{one,two,three,four})" "one
two
three
four"
