#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 120
# A disc with a directory that the drive can't read: refused, or shown without it (-o damaged), and then no commit hides
# that by accident; and a file that can't be read is an error when it's read, and nothing else.
SR=sr37 # see lib_drive.sh
# shellcheck source=lib_drive.sh
. "$(dirname "$0")/lib_drive.sh"
requires_fuse
requires jq xorriso isoinfo sg_raw

mount_drive() { # OPTIONS…
	mkdir -p mnt
	sim discfs "/dev/$SR" mnt "$@"
	daemon_of mnt >.daemon-mnt
}

new_disc dvd+rw 60000
mkdir -p tree/good tree/bad
for i in {1..40}; do echo "$i" | tee "tree/good/a-rather-long-name-$i" >"tree/bad/a-rather-long-name-$i"; done
head -c 500000 /dev/urandom >tree/large
mount_drive
cp -r tree/. mnt/
commit mnt
unmount mnt
rm -rf "$XDG_STATE_HOME"
reload
sim dd "if=/dev/$SR" bs=2048 count=2000 of=copy status=none
lba=$(isoinfo -R -l -i copy | sed -n 's/^d.*\[ *\([0-9]*\) .* bad *$/\1/p')
file=$(isoinfo -R -l -i copy | sed -n 's/^-.*\[ *\([0-9]*\) .* large *$/\1/p')

rules "reading lba=$((lba + 1)) sense=3/11/05 times=0" "reading lba=$((file + 100)) sense=3/11/05 times=0"
assert_exit 2 sim discfs "/dev/$SR" mnt
mount_drive -o damaged
[ "$(status mnt .damage.lost)" -gt 0 ]
status mnt '.damage.names[]' | grep -q "^/bad: "
diff -r tree/good mnt/good
assert_fails "Input/output error" cat mnt/large
head -c 100000 mnt/large | cmp - <(head -c 100000 tree/large)
echo new >mnt/new
assert_exit 12 discfsctl commit mnt
discfsctl commit --damaged mnt
assert_equal "$(status mnt .damage.lost)" 0
diff -r tree/good mnt/good
assert_equal "$(cat mnt/new)" new
unmount mnt

# The newest session can't be read, descriptors and tree: the one before it can, and the message says so.
rm -rf "$XDG_STATE_HOME"
start=$(sim discfsctl info --json "/dev/$SR" | jq '.sessions[1].start')
rules "reading lba=$((start + 16))..$(($(root_of "$start") + 40)) sense=3/11/00 times=0"
assert_equal "$(sim discfsctl info --json "/dev/$SR" | jq -c '[.sessions[].start]')" "[32,$start]"
assert_exit 2 sim discfs "/dev/$SR" mnt
grep -q "session 1 can be read: mount it with -o session=1" out
mount_drive -o session=1
assert_equal "$(status mnt .read_only)" true
diff -r tree/good mnt/good
cmp tree/large mnt/large
unmount mnt
