#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 60
# Commits whose session is on the disc already when something fails: the mount tells what it can, takes no more
# changes, and the next mount brings it to an end; and when that can't be done either, what is staged stays within
# reach.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires jq setfattr xorriso sqlite3 pkill

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

# --- the writing of the head is cut off in the middle: what the disc shows is neither the old state nor the new one
mount_disc disc.img mnt
unmount mnt
DISCFS_FAULT=head-before:stop DISCFS_FAULT_SEEN=$T/seen mount_disc disc.img mnt
head -c 300000 /dev/urandom >mnt/five
sha256sum mnt/* >sums
(setfattr -n user.discfs.commit -v FIVE mnt 2>/dev/null || true) &
until grep -qs head-before seen; do sleep 0.05; done
pid=$(cat .daemon-mnt)
pkill -9 -P "$pid"
kill_daemon mnt
wait
db=$(echo "$XDG_STATE_HOME"/discfs/*/overlay.db)
sqlite3 "$db" "SELECT writefile('new.head', head), writefile('old.head', old_head) FROM journal"
cp disc.img cut.img
cp -a "$XDG_STATE_HOME" cut.state
for piece in "64 1" "0 66" "66 62" "65 3" "0 128"; do # in units of 512 bytes
	cp cut.img disc.img
	rm -rf "$XDG_STATE_HOME"
	cp -a cut.state "$XDG_STATE_HOME"
	# shellcheck disable=SC2086
	set -- $piece
	dd if=new.head of=disc.img bs=512 skip="$1" seek="$1" count="$2" conv=notrunc status=none
	mount_disc disc.img mnt
	sha256sum --quiet -c sums
	assert_equal "$(cat mnt/.discfs/changes)" ""
	assert_equal "$(status mnt '.sessions | length')" 5
	echo again >mnt/again
	commit mnt
	unmount mnt
	[ -z "$(ls "$XDG_STATE_HOME/discfs/switching")" ]
	assert_equal "$(find "$XDG_STATE_HOME/discfs/by-fingerprint" -type l | wc -l)" 1
done

# what is neither old nor new is another disc: its own head is left alone
cp cut.img disc.img
rm -rf "$XDG_STATE_HOME"
cp -a cut.state "$XDG_STATE_HOME"
printf x | dd of=disc.img bs=1 seek=$((31 * 2048)) conv=notrunc status=none
dd if=new.head of=disc.img bs=2048 skip=16 seek=16 count=1 conv=notrunc status=none
cp disc.img other.img
timeout 60 discfs disc.img mnt && unmount_if_mounted=1
[ -z "${unmount_if_mounted:-}" ] || timeout 60 fusermount3 -u mnt
assert_same_bytes disc.img other.img
