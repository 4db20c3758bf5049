#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 180
# What can't be burned, or can't be staged, is refused when it is written: ENOSPC from write or close, never from the
# commit. What was there before, and what fitted, is kept.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires jq python3 setfattr xorriso
fsop() { timeout 100 python3 "$TESTS/fsop.py" "$@"; }

# Linux tells of the write that failed once more, at the first sync.
sync_after_error() {
	sync -f mnt || true
	sync -f mnt
}

# --- a tree larger than the disc
make_disc small.img 20M
mount_disc small.img mnt
seq 1000000 >first
cp first mnt/first
commit mnt FIRST
head -c 5000000 /dev/urandom >second
cp second mnt/second
assert_fails "No space left" fsop close mnt/huge <<<"$(head -c 30000000 /dev/zero | tr '\0' x)"
# Nobody writes 30 MB to a disc of 20 MB, at any pace
write_parts() {
	local i
	for i in {1..1000}; do
		head -c 100000 first >"mnt/part$i" || return 1
	done
}
assert_fails "No space left" write_parts
assert_less "$(status mnt .staged.bytes)" 14000000 "staged bytes"
# many small files: their records count as well
rm -f mnt/huge mnt/part*
assert_fails "No space left" python3 -c '
import os, sys
try:
    for i in range(100000):
        with open("mnt/small%d" % i, "w") as file:
            file.write("%0100d" % i) # equal ones are burned once
except OSError as error:
    sys.exit(error.strerror)
'
count=$(find mnt -name 'small*' | wc -l)
assert_less 1000 "$count" "small files that fitted"
sync_after_error
# The last one isn't whole, unless its write was refused before the kernel took it.
for last in $(status mnt '.incomplete.list[].path'); do
	assert_match "$last" "^small[0-9]+$"
	assert_fails "$last is incomplete" discfsctl commit mnt
	rm "mnt/$last"
	count=$((count - 1))
done
# All else was accepted, so it can be burned.
assert_same_bytes mnt/second second
commit mnt FULL
assert_same_bytes mnt/first first
assert_same_bytes mnt/second second
assert_equal "$(find mnt -name 'small*' | wc -l)" "$count"
assert_less "$(stat -c %s small.img)" $((20 * 1024 * 1024 + 1)) "size of the image"
unmount mnt
mount_disc small.img mnt
assert_same_bytes mnt/first first
assert_same_bytes mnt/second second
assert_less "$(df --output=avail -B1 mnt | tail -n 1)" 2000000 "room on a full disc"
unmount mnt
extract_xorriso small.img out.d
assert_same_bytes out.d/first first
assert_same_bytes out.d/second second

# --- a limit on staging
make_disc limited.img dvd
cat first first >first.twice
mount_disc limited.img mnt -o spool_limit=10M
cp second mnt/second
assert_fails "No space left" fsop close mnt/more <first.twice
[ ! -e mnt/more ] || rm mnt/more
sync_after_error
assert_same_bytes mnt/second second
commit mnt LIMITED
cp second mnt/again
assert_same_bytes mnt/again second
unmount mnt

# --- the state directory's own file system is full
requires_root
mkdir full
mount -t tmpfs -o size=16M,mode=700 tmpfs full
make_disc tmp.img dvd
mount_disc tmp.img mnt -o state="$T/full"
cp second mnt/second
sync -f mnt
assert_fails "No space left" sh -c 'head -c 40000000 /dev/zero >mnt/more && sync -f mnt'
rm -f mnt/more
sync_after_error
assert_same_bytes mnt/second second
commit mnt TMP
assert_same_bytes mnt/second second
# the room is back
cp second mnt/third
commit mnt THIRD
unmount mnt
mount -o remount,ro full
assert_exit 2 discfs tmp.img mnt -o state="$T/full"
grep -q "$T/full.*Read-only file system" out
umount full
mount_disc tmp.img mnt
assert_same_bytes mnt/second second
assert_same_bytes mnt/third second
unmount mnt
