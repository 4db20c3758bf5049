#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 120
# What people and their scripts do all day, in the mount and in a directory: thousands of files made and removed by
# several processes at once, find -delete, install, ln, split and cat, dd, truncate, fallocate, sort, flock, pipes by
# name, disk images. The same is said, the same is there, on the disc too; df shrinks and comes back.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires_root # owners
requires python3 flock fallocate mke2fs e2fsck jq

mkdir host
make_disc disc.img cd
mount_disc disc.img mnt

# What two runs of a story can't share: the time of what they touched.
settle() {
	local place
	for place in mnt host; do
		find $place -mindepth 1 -newermt 2025-01-01 -depth -exec touch -h -d @1500000000 {} +
	done
}
assert_same() {
	settle
	assert_same_tree mnt host --without root
}

# --- many at once
# shellcheck disable=SC2016 # for the shells of xargs
make_many() {
	mkdir -p many/{a,b,c}
	seq 5000 | xargs -P 4 -n 250 sh -c 'for i; do echo $i >many/a/$i; done' sh
	seq 200 | xargs -P 4 -n 20 sh -c 'for i; do mkdir many/b/$i; ln many/a/$i many/b/$i/link; ln -s ../$i many/b/$i/soft; done' sh
	seq 200 | xargs -P 4 -n 20 sh -c 'for i; do mv many/a/$i many/c/$i.moved; done' sh
	find many | wc -l
	find many -name '*7' -type f | wc -l
	find many -links 2 -type f -size -4c | wc -l
	grep -rlx 4711 many
}
remove_many() {
	find many/a -name '*5' -delete
	find many -newer many/nothing || echo "find: $?"
	find many/a -type f -print0 | xargs -0 -P 4 -n 300 rm
	ls many/a
	find many/b -mindepth 1 -delete
	ls -A many/b
	rmdir many || echo "rmdir: $?"
	rm -rf many/c
	rmdir many/a many/b many
	ls -A
}
room() { # what df says is free
	sync -f mnt
	df --output=avail -B1 mnt | tail -n 1
}
before=$(room)
both_do make_many
assert_less "$(room)" $((before - 5000 * 2048)) "room with 5,000 files"
assert_same_tree mnt host --without mtime,root
both_do remove_many
assert_less $((before - $(room))) 200000 "room that didn't come back"
both_do make_many
commit mnt MANY
unmount mnt
mount_disc disc.img mnt
both_do du -s --apparent-size --inodes many
both_do remove_many # of the disc
both_do mkdir left
commit mnt GONE
assert_same

# --- files in their usual ways
usual() {
	seq 1 100000 >numbers
	mkdir bin
	install -D -m 4755 -o 12 -g 34 /bin/true bin/deep/program
	install -m 644 -p -t bin numbers
	install -d -m 2770 -g 55 bin/group
	bin/deep/program
	ln numbers hard
	ln -sf numbers soft
	ln -sfn bin soft-bin
	ln -sf hard soft
	split -n 7 numbers part.
	cat part.* | cmp - numbers
	split -l 15000 -d numbers line.
	wc -l line.*
	head -c 1000000 /dev/zero | dd of=sparse conv=sparse bs=64k status=none
	dd if=numbers of=sparse conv=notrunc bs=1000 seek=400 count=7 status=none
	dd if=numbers of=appended oflag=append conv=notrunc bs=1M status=none
	dd if=numbers of=direct oflag=direct,sync bs=4096 count=20 status=none
	truncate -s +5000 hard
	truncate -s 1M short
	truncate -s %4096 numbers
	truncate -s 0 part.aa
	fallocate -l 300000 preallocated
	fallocate -n -l 900000 preallocated
	fallocate -p -o 8192 -l 40960 numbers
	fallocate -z -o 100000 -l 5000 numbers
	cp --sparse=always sparse dug
	fallocate -d dug
	touch -r sparse -d '+3 days' bin
	touch -a -d 2001-01-01 bin/numbers
	touch -c nothing
	shred -n 1 -z -u part.ab
	sort -R numbers --random-source=/bin/true | sort -n -T . -S 1M | uniq | cmp - <(sort -n numbers | uniq)
	tac line.05 | rev | tee reversed | md5sum
	csplit -s -f piece. line.00 1000 9000
	join <(sort line.00) <(sort piece.01) | wc -l
	find . -type f -newer bin/deep/program -empty
	find . -type f -exec stat -c '%n %s %h %A %u %g' {} +
	md5sum ./* bin/* 2>/dev/null || true
}
wrong() { # each fails alike
	mkdir bin || echo $?
	rmdir bin || echo $?
	cat bin || echo $?
	ln -s x soft || echo $?
	ln bin bin-link || echo $?
	cp numbers numbers || echo $?
	mv bin bin/deep || echo $?
	touch numbers/below || echo $?
	rm nothing bin || echo $?
	: >nothing/below || echo $?
	truncate -s -1 nothing || echo $?
	install -d numbers || echo $?
	ls loop-a loop-b || echo $?
	ln -s loop-a loop-b && ln -s loop-b loop-a && cat loop-a || echo $?
	mkdir -p "$(printf 'x%.0s' {1..300})" || echo $?
	dd if=numbers of=bin status=none || echo $?
	chmod 999 numbers || echo $?
	mktemp -p . same.XXXXXX >/dev/null
	set -C
	: >numbers || echo $?
}
# shellcheck disable=SC2016
together() {
	# a counter that several processes raise, one at a time
	rm -f counter log pipe
	echo 0 >counter
	seq 80 | xargs -P 4 -n 10 sh -c 'for i; do flock counter.lock sh -c "read n <counter; echo \$((n + 1)) >counter"; done' sh
	cat counter
	flock -n counter.lock flock -n counter.lock true || echo "locked: $?"
	flock -s counter.lock flock -s -n counter.lock echo shared
	# lines of several appending writers stay whole
	seq 4 | xargs -P 4 -n 1 sh -c 'for i in $(seq 300); do echo "$1 writes line $i" >>log; done' sh
	sort -o log log
	uniq log | wc -l
	mkfifo pipe
	gzip <pipe >zipped & cat numbers >pipe
	wait
	gzip -dc zipped | cmp - numbers
	rm -f same.*
}
image() { # a file system in a file
	mke2fs -q -F -t ext4 -d bin disk.img 8M
	e2fsck -fn disk.img >/dev/null 2>&1
	debugfs -R 'dump /numbers out' disk.img 2>/dev/null
	cmp out bin/numbers
	rm disk.img
}
normal() { # where the shell says it
	sed -e 's/^[^ ]*: line [0-9]*: //' | LC_ALL=C sort
}
both_do usual
both_do wrong
both_do together
both_do image
both_do rm zipped # it has the time in it
assert_same
commit mnt USUAL
unmount mnt
rm -rf "$XDG_STATE_HOME"
mount_disc disc.img mnt
assert_same_tree mnt host --without root
both_do together # over files of the disc
both_do rm zipped
assert_same
both_do sh -c 'rm -rf ./*; ls -A'
unmount mnt
check_state
