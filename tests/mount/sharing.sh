#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 120
# A copy inside the mount stages no bytes: of what is on the disc, and of what is staged. Copies go their own ways, over
# remounts and commits, and are never taken for hard links.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires setfattr jq python3 xorriso

spool() {
	sync -f mnt
	status mnt .spool.bytes
}

copy() { # by copy_file_range alone: cp may fall back on reading and writing
	python3 - "$@" <<-'EOF'
		import os, sys
		source, target = os.open(sys.argv[1], os.O_RDONLY), os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT)
		while os.copy_file_range(source, target, 1 << 40):
		    pass
	EOF
}

make_disc disc.img dvd
mount_disc disc.img mnt
mkdir plain
head -c 30000001 /dev/urandom >plain/old
cp -p plain/old mnt/old
commit mnt FIRST
first=$(session_sectors disc.img 1)

# what is on the disc
copy mnt/old mnt/copy
cp -p mnt/old mnt/twin
cp -p plain/old plain/copy
cp -p plain/old plain/twin
assert_equal "$(spool)" 0 "spool after copies of a file on the disc"
commit mnt COPIES
assert_less "$(session_sectors disc.img 2)" 600 "sectors of a session with copies (the first: $first)"
assert_equal "$(stat -c %h mnt/old mnt/copy mnt/twin | sort -u)" 1 "links of copies"

# what is staged, changed on both sides
head -c 20000000 /dev/urandom >plain/new
cp plain/new mnt/new
assert_equal "$(spool)" 20000000 "spool with one new file"
copy mnt/new mnt/new2
copy mnt/new mnt/new3
cp plain/new plain/new2
cp plain/new plain/new3
assert_equal "$(spool)" 20000000 "spool with its copies"
for tree in plain mnt; do
	printf CHANGED | dd of=$tree/new2 bs=1 seek=1234567 conv=notrunc status=none
	printf CHANGED | dd of=$tree/copy bs=1 seek=7654321 conv=notrunc status=none
	rm $tree/new
done
assert_less "$(spool)" 20020000 "spool after a change to one of them"
assert_same_tree mnt plain --without mtime,root,mode
unmount mnt
mount_disc disc.img mnt
assert_same_tree mnt plain --without mtime,root,mode
for tree in plain mnt; do
	rm $tree/new3
	truncate -s 10000000 $tree/new2
done
assert_less "$(spool)" 10020000 "spool after what was shared went"
copy mnt/new2 mnt/new4
cp plain/new2 plain/new4
commit mnt CHANGED
assert_equal "$(spool)" 0 "spool after the last commit"
assert_same_tree mnt plain --without mtime,root,mode
assert_equal "$(stat -c %h mnt/* | sort -u)" 1 "links of copies"
unmount mnt
extract_xorriso disc.img out
assert_same_tree out plain --without mtime,root,mode
check_state
