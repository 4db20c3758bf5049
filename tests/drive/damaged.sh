#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 120
# A disc with a directory that the drive can't read: refused, or shown without it (-o damaged), and then no commit hides
# that by accident; and a file that can't be read is an error when it's read, and nothing else.
# Descriptors that can't be read, with copies that can: the session is shown, and continued.
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

# On sequential media nothing but a session's place leads to its descriptors. Where these can't be read, their copies
# behind the front of UDF stand for them, in an older session and in the newest one: what is staged is found again, and
# the next session is appended to it, and inherits what it has.
sequential() { # KIND
	local n start size
	no_rules
	rm -rf "$XDG_STATE_HOME"
	new_disc "$1"
	mount_drive
	for n in 1 2 3; do
		cp -r tree/good "mnt/$n"
		commit mnt
		manifest mnt >"tree$n"
	done
	status mnt '.sessions[].start' >starts
	size=$(status mnt .last.sectors)
	echo staged >mnt/staged
	unmount mnt
	reload
	for n in 1 2; do
		start=$(sed -n ${n}p starts)
		rules "reading lba=$((start + 16))..$((start + 31)) sense=3/11/00 times=0"
		sim discfs "/dev/$SR" mnt -o "session=$n,state=$T/other"
		assert_same_tree mnt tree$n
		fusermount3 -u mnt
	done
	start=$(sed -n 3p starts)
	rules "reading lba=$((start + 16))..$((start + 47)) sense=3/11/00 times=0"
	mount_drive
	assert_equal "$(cat mnt/staged)" staged
	assert_equal "$(status mnt .read_only)" false
	timeout 60 discfsctl discard mnt --yes >/dev/null
	assert_same_tree mnt tree3
	assert_same_tree mnt/.discfs/sessions/3 tree3
	echo new >mnt/new
	commit mnt
	assert_equal "$(status mnt '[.sessions[].start] | length')" 4
	assert_less "$(status mnt .last.sectors)" "$size" "sectors of a session that inherits"
	manifest mnt >tree4
	unmount mnt
	assert_exit 21 sim discfsctl verify --all "/dev/$SR"
	grep "session 3.*descriptors" out
	mount_drive
	assert_same_tree mnt tree4
	timeout 60 discfsctl restore 3 mnt --yes
	assert_same_tree mnt tree3
	unmount mnt
}

for kind in cd-r bd-r; do
	sequential $kind
done
