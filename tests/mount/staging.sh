#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 120
# What a change stages: a byte of a large file no more than its block, a rename nothing. Open and deleted files live
# on; a commit goes on under open files, and inode numbers stay.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires setfattr jq python3

spool() {
	sync -f mnt
	status mnt .spool.bytes
}

make_disc disc.img dvd
mount_disc disc.img mnt
head -c 200000000 /dev/urandom >big
cp big mnt/big
mkdir -p mnt/tree/sub
for i in {1..50}; do
	head -c 20000 /dev/urandom >"mnt/tree/sub/$i"
done
seq 100000 >mnt/numbers
commit mnt FIRST
assert_equal "$(spool)" 0 "spool after a commit"
stat -c '%i %n' mnt mnt/big mnt/tree mnt/tree/sub mnt/tree/sub/7 mnt/numbers >inodes

# one byte of a large file
printf Z | dd of=mnt/big bs=1 seek=123456789 conv=notrunc status=none
printf Z | dd of=big bs=1 seek=123456789 conv=notrunc status=none
assert_less "$(spool)" 16385 "spool for one changed byte"
assert_less 0 "$(spool)" "spool for one changed byte"
assert_same_bytes mnt/big big
before=$(spool)

# renames of files and directories, links, attributes
mv mnt/tree mnt/forest
mv mnt/forest/sub mnt/sub
mv mnt/numbers mnt/sub/digits
chmod 600 mnt/sub/*
touch -d @1000000000 mnt/sub/1
assert_equal "$(spool)" "$before" "spool after renames"
assert_equal "$(grep -c '^R ' mnt/.discfs/changes)" 3 "renames among the changes"
ln mnt/sub/digits mnt/linked
assert_equal "$(spool)" "$before" "spool after a hard link"
mv mnt/sub mnt/forest/sub
mv mnt/forest mnt/tree
mv mnt/tree/sub/digits mnt/numbers
rm mnt/linked

# open and deleted: the content goes on, the space comes back at the end
exec 5<>mnt/numbers
rm mnt/numbers
[ ! -e mnt/numbers ]
head -c 4 <&5 | cmp - <(printf '1\n2\n')
exec 6<>mnt/temporary
head -c 1000000 /dev/zero >&6
rm mnt/temporary
assert_less 900000 "$(spool)" "spool of an open, deleted file"
commit mnt "OPEN FILES"
tail -c 7 <&5 | cmp - <(printf '100000\n')
echo still written >&6
assert_fails "No such file" cat mnt/numbers
exec 5<&- 6>&-
assert_equal "$(spool)" 0 "spool after the last close"

# A commit under a reader and a writer: neither notices.
assert_same_bytes mnt/big big
(
	exec 7>>mnt/log
	for i in {1..100000}; do
		echo "line $i" >&7
		[ ! -e stop ] || break
	done
	echo "$i" >lines
) &
writer=$!
(
	while [ ! -e stop ]; do
		cmp mnt/big big >>differences || true
	done
) &
reader=$!
sleep 0.5
exec 8<mnt/tree/sub/7
echo changed >mnt/tree/sub/8
commit mnt "UNDER WAY"
cat <&8 | cmp - mnt/tree/sub/7
touch stop
wait $writer $reader
exec 8<&-
assert_equal "$(cat differences)" "" "reading during a commit"
seq -f 'line %.0f' "$(cat lines)" | cmp - mnt/log
assert_less 1 "$(cat lines)" "lines written"

stat -c '%i %n' mnt mnt/big mnt/tree mnt/tree/sub mnt/tree/sub/7 >inodes-now
grep -v numbers inodes | cmp - inodes-now
commit mnt REST
seq -f 'line %.0f' "$(cat lines)" | cmp - mnt/log
unmount mnt
mount_disc disc.img mnt
stat -c '%i %n' mnt mnt/big mnt/tree mnt/tree/sub mnt/tree/sub/7 | cmp - inodes-now
seq -f 'line %.0f' "$(cat lines)" | cmp - mnt/log
assert_same_bytes mnt/big big
unmount mnt
check_state

# a commit holds what was written before it into files that are still open
mount_disc disc.img mnt
head -c 9000000 /dev/urandom >written
exec 7>mnt/written
cat written >&7
commit mnt "STILL OPEN"
[ "$(status mnt '.staged | .added + .modified')" = 0 ] || fail "something came after the freeze: $(cat mnt/.discfs/changes)"
exec 7>&-
unmount mnt
rm -rf "$XDG_STATE_HOME"
mount_disc disc.img mnt
assert_same_bytes mnt/written written
unmount mnt
