#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 300
# What is on the disc already isn't burned again, and what is staged several times is burned once: a tree with a thousand
# equal files, written over by cp and by rsync in all their ways, copied, and copied again from the disc. Sessions are as
# small as their names; contents, times and link counts are those of an ordinary directory, after a mount that knows
# nothing but the disc too, and as xorriso reads them. A foreign disc that records no sums serves as well.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires rsync xorriso genisoimage python3 jq
requires_room 400

# A session with nothing but names: descriptors, records, padding. (What UDF adds isn't in it.)
NAMES=700

# assert_session LEAST MOST [SAVED-FILES]: sectors of the last commit, and what it says that it saved; MOST: without what
# UDF has more, one sector for each new file among it
assert_session() {
	local sectors
	sectors=$(status mnt .last.sectors)
	assert_less "$1" "$sectors" "sectors of the session"
	assert_less "$sectors" $(($2 + UDF_FRONT + $(find mnt | wc -l))) "sectors of the session"
	[ -z "${3:-}" ] || assert_equal "$(status mnt .last.saved_files)" "$3" "files that were saved"
	assert_equal "$(status mnt .spool.bytes)" 0 "what is left in the spool"
}

# The mount is as the directory host, and so it is after a mount that knows only the disc.
assert_all() {
	assert_same_tree mnt host --without root # the two may have been changed in different seconds
	unmount mnt
	mount_disc disc.img mnt -o state="$T/fresh$((++fresh))"
	assert_same_tree mnt host --without root # the two may have been changed in different seconds
}
fresh=0

# --- equal files, staged together
mkdir host
make_files() {
	local i
	mkdir same different
	for i in {1..1000}; do
		echo "the same again" >"same/file$i"
	done
	for i in {1..100}; do
		head -c $((i * 60)) /dev/zero | tr '\0' "$(printf '\\%03o' $((i + 32)))" >"different/file$i"
	done
	ln same/file1 same/linked
	truncate -s 1M hole
	truncate -s 1M hole2
	: >empty
	: >empty2
}
(cd host && make_files && head -c 24000000 /dev/urandom >large && cp large "large again" && find . -exec touch -d '2020-02-02 02:02:02' {} +)
make_disc disc.img dvd
mount_disc disc.img mnt
cp -a host/. mnt/
commit mnt FIRST
assert_session $((24000000 / 2048)) $((24000000 / 2048 + 100 * 3 + 512 + NAMES)) 1001
assert_match "$(status mnt .last.message)" "1001 files .* take no room"
assert_all

# --- other files of the same content in their place: names only
cp -a --remove-destination host/. mnt/
commit mnt CP
assert_session 0 $NAMES 1104
assert_all
rsync -aH --ignore-times host/ mnt/
commit mnt RSYNC
assert_session 0 $NAMES 1104
assert_all

# --- written over with the same content: there's nothing to burn
full=$(stat -c %s disc.img)
cp -a host/different host/large* host/hole* mnt/ # hard links are removed and made anew by cp
assert_less 48000000 "$(status mnt .staged.bytes)" "bytes staged"
discfsctl commit mnt >said
grep "on the disc already: nothing was burned" said
rsync -aH --inplace --ignore-times host/ mnt/
commit mnt NOTHING
rsync -aHc --inplace host/ mnt/
commit mnt NOTHING
assert_equal "$(stat -c %s disc.img)" "$full" "size of the image"
assert_equal "$(status mnt .spool.bytes)" 0 "what is left in the spool"
assert_equal "$(status mnt '.staged | .added + .modified + .deleted + .renamed')" 0 "changes"
assert_all

# --- the same content at another time: names and times only
(cd host && find . -exec touch -d '2021-03-03 03:03:03' {} +)
rsync -aH --no-whole-file --inplace --ignore-times host/ mnt/
dd if=host/large of=mnt/large bs=1M skip=3 seek=3 count=5 conv=notrunc status=none
touch -r host/large mnt/large
discfsctl commit --dry-run mnt >said
grep "1 file (24 MB) is on the disc already" said
commit mnt TOUCHED
assert_session 0 $NAMES
assert_all
(cd host && find . -exec touch -d '2022-03-03 03:03:03' {} +)
cp -a host/. mnt/
commit mnt "TOUCHED BY CP"
assert_session 0 $NAMES 1104
assert_all

# --- copies of what is there, copies of copies, names that come back
both_do cp -a --reflink=never same again
both_do cp -a --reflink=never large large2
both_do cp -a --reflink=never large2 large3
both_do cp -a large3 large4
both_do rm large "large again"
commit mnt COPIES
assert_session 0 $((NAMES * 2))
assert_all
both_do cp -a --reflink=never large4 large
both_do mv large4 moved
commit mnt BACK
assert_session 0 $((NAMES * 2)) 1
assert_all

# --- one byte makes another file, and each is its own
change() {
	printf X | dd of=again/file7 bs=1 seek=3 conv=notrunc status=none
	printf X | dd of=large2 bs=1 seek=23000000 conv=notrunc status=none
	echo more >>same/file1
	touch -d '2023-01-01' again/file7 large2 same/file1
}
both_do change
commit mnt ONE
assert_session $((24000000 / 2048)) $((24000000 / 2048 + 3 + NAMES * 2)) 0
assert_all
unmount mnt

# --- others see the same, and each session is still whole
extract_xorriso disc.img out
assert_same_tree out host --without root
extract_xorriso disc.img first 1
cmp first/large host/large3
assert_equal "$(find first -type f | wc -l)" $((1000 + 1 + 100 + 2 + 2 + 2))

# --- a disc of another program's, which records no sums: each old file is read once
genisoimage -quiet -R -J -o foreign.img host
truncate -s %32768 foreign.img
mount_disc foreign.img mnt -o state="$T/foreign"
rm -rf out && cp -a mnt out
find out -exec touch -d '2024-04-04 04:04:04' {} +
cp -a --remove-destination out/. mnt/
commit mnt FOREIGN
assert_session 0 $((NAMES * 2))
assert_same_tree mnt out --without root
unmount mnt
mount_disc foreign.img mnt -o state="$T/foreign2"
assert_same_tree mnt out --without root
unmount mnt
