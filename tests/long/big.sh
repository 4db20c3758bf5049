#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 600
# A file over 4 GiB, sparse where it comes from, survives two sessions byte for byte: it is written in several extents
# and never copied again.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires xorriso jq setfattr
requires_room 10000

size=4500000000
truncate -s $size big
for at in 0 1000000 2147483647 4294965247 4294967290 4294967296 4299161600 4499999000; do
	printf 'here is %d' $at | dd of=big bs=1 seek=$at conv=notrunc status=none
done
sum=$(sha256sum <big)
make_disc disc.img 5GB
mount_disc disc.img mnt
cp --sparse=always big mnt/big
assert_equal "$(stat -c %s mnt/big)" $size
commit mnt ONE
assert_equal "$(sha256sum <mnt/big)" "$sum" "the file after its commit"
first=$(stat -c %s disc.img)
mkdir mnt/dir
mv mnt/big mnt/dir/renamed
echo small >mnt/small
commit mnt TWO
assert_less $(($(stat -c %s disc.img) - first)) 1000000 "the second session"
unmount mnt
rm -rf "$XDG_STATE_HOME"
mount_disc disc.img mnt
assert_equal "$(stat -c %s mnt/dir/renamed)" $size
assert_same_bytes mnt/dir/renamed big
# no room for it again on this disc: refused when it is written
assert_fails "No space left" sh -c 'cp --sparse=never big mnt/again'
rm -f mnt/again
unmount mnt
xorriso -osirrox on -indev disc.img -extract /dir/renamed extracted 2>/dev/null
assert_same_bytes extracted big
