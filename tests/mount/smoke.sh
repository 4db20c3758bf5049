#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 60
# The whole path once, in a short time: this is also what runs under valgrind.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires jq setfattr xorriso

make_disc disc.img cd
mount_disc disc.img mnt
mkdir -p tree/dir
seq 10000 >tree/numbers
ln tree/numbers tree/dir/linked
ln -s ../numbers tree/dir/soft
mkfifo tree/fifo
setfattr -n user.word -v value tree/numbers
head -c 300000 /dev/urandom >tree/random
cp -a tree mnt/
assert_same_tree mnt/tree tree
commit mnt FIRST
assert_same_tree mnt/tree tree
for d in mnt tree/..; do
	printf X | dd of="$d/tree/random" bs=1 seek=100000 conv=notrunc status=none
	mv "$d/tree/dir" "$d/tree/renamed"
	rm "$d/tree/fifo"
	truncate -s 1234 "$d/tree/numbers"
	setfattr -x user.word "$d/tree/numbers"
	echo new >"$d/tree/new"
done
echo unwanted >mnt/unwanted
discfsctl discard mnt/unwanted --yes
discfsctl diff mnt
discfsctl status mnt
assert_same_tree mnt/tree tree --without mtime
discfsctl commit mnt --label SECOND
cat mnt/.discfs/status
assert_same_tree mnt/tree tree --without mtime
assert_fails "" setfattr -n user.discfs.commit -v "$(printf '%0300d' 1)" mnt
echo kept >mnt/kept
unmount mnt
mount_disc disc.img mnt
assert_equal "$(cat mnt/kept)" kept
unmount mnt
rm -rf "$XDG_STATE_HOME"
mount_disc disc.img mnt
assert_same_tree mnt/tree tree --without mtime
unmount mnt
assert_equal "$(toc disc.img | grep -c '^ISO session')" 2
