#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 120
# Every operation on files, on those of the disc and on new ones: the same commands are run in the mount and in a
# directory of this machine, and both must then hold the same tree; so must the disc, after a commit.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires_root # owners and devices
requires setfattr setfacl jq python3 xorriso
fsop() { timeout 60 python3 "$TESTS/fsop.py" "$@"; }

# What is there before: as base files in one run of the story, as new ones in the other.
populate() {
	mkdir -p "$1"/{plain,dir/below/deep,move,empty,many,"with space"}
	seq 1 20000 >"$1/plain/numbers"
	cp "$1/plain/numbers" "$1/plain/append"
	cp "$1/plain/numbers" "$1/plain/cut"
	cp "$1/plain/numbers" "$1/plain/grow"
	cp "$1/plain/numbers" "$1/plain/patch"
	cp "$1/plain/numbers" "$1/plain/replace"
	cp "$1/plain/numbers" "$1/plain/gone"
	: >"$1/plain/void"
	echo deep >"$1/dir/below/deep/file"
	echo one >"$1/move/one"
	echo two >"$1/move/two"
	ln "$1/plain/numbers" "$1/dir/numbers"
	ln -s ../plain/numbers "$1/dir/soft"
	mkfifo "$1/dir/fifo"
	mknod "$1/dir/null" c 1 3
	mknod "$1/dir/loop" b 7 200
	echo attributes >"$1/plain/attributes"
	setfattr -n user.first -v 1 "$1/plain/attributes"
	setfattr -n user.second -v "$(printf 'x%.0s' {1..500})" "$1/plain/attributes"
	setfacl -m u:1234:rwx,g:77:r "$1/plain/attributes"
	setfacl -d -m u:1234:rx "$1/many"
	touch "$1/many/"{1..300}
}

# The story: each kind of change once.
change() {
	local d=$1
	# contents
	echo appended >>"$d/plain/append"
	truncate -s 1000 "$d/plain/cut"
	truncate -s 300000 "$d/plain/grow"
	printf X | dd of="$d/plain/patch" bs=1 seek=5000 conv=notrunc status=none
	seq 5 >"$d/plain/replace.tmp"
	mv "$d/plain/replace.tmp" "$d/plain/replace"
	rm "$d/plain/gone"
	echo new >"$d/plain/void"
	echo through a hard link >>"$d/dir/numbers"
	# new names of each type
	mkdir -m 2775 "$d/made"
	echo x >"$d/made/file"
	ln -s /etc/hostname "$d/made/absolute"
	ln -s "$(printf 'a/%.0s' {1..100})b" "$d/made/long"
	ln "$d/made/file" "$d/made/second"
	ln "$d/plain/append" "$d/made/append"
	mkfifo -m 600 "$d/made/fifo"
	mknod "$d/made/full" c 1 7
	touch "$d/made/"{a,b,c}
	mkdir "$d/made/"{x,y,z}
	rm "$d/made/b"
	rmdir "$d/made/y"
	# renames: over a file, over an empty directory, of a full directory, back again
	mv "$d/dir/below" "$d/moved"
	mv "$d/moved/deep/file" "$d/top"
	mv -T "$d/made/x" "$d/empty"
	mv "$d/move/one" "$d/move/two"
	mv "$d/many" "$d/other"
	mv "$d/other" "$d/many"
	mkdir "$d/a" "$d/b"
	echo a >"$d/a/a"
	echo b >"$d/b/b"
	fsop rename-exchange "$d/a" "$d/b"
	fsop rename-exchange "$d/plain/cut" "$d/made/file"
	fsop rename-exchange "$d/move" "$d/made/a"
	fsop rename-noreplace "$d/a/b" "$d/a/bb"
	assert_fails "File exists" python3 "$TESTS/fsop.py" rename-noreplace "$d/a/bb" "$d/top"
	# what a directory refuses
	assert_fails "Directory not empty" rmdir "$d/plain"
	assert_fails "Not a directory" ls "$d/top/x"
	assert_fails "Is a directory" dd if=/dev/null of="$d/a"
	assert_fails "File exists" mkdir "$d/a"
	assert_fails "File name too long" touch "$d/$(printf 'n%.0s' {1..256})"
	assert_fails "No such file" rm "$d/nothing"
	assert_fails "subdirectory of itself" mv "$d/moved" "$d/moved/deep/self"
	# attributes
	chmod 4711 "$d/plain/patch"
	chmod 0 "$d/plain/grow"
	chmod 1777 "$d/with space"
	chown 12:34 "$d/plain/append"
	chown -h 1:2 "$d/dir/soft"
	chgrp -R 55 "$d/moved"
	setfattr -n user.first -v changed "$d/plain/attributes"
	setfattr -x user.second "$d/plain/attributes"
	setfattr -n user.empty "$d/plain/attributes"
	setfattr -n user.dir -v "$(printf 'long %.0s' {1..200})" "$d/made"
	assert_fails "No such attribute" setfattr -x user.nothing "$d/plain/attributes"
	setfacl -m u:1234:r "$d/plain/attributes"
	setfacl -m g:99:rw "$d/top"
	setfacl -b "$d/many/1"
	mv "$d/many/1" "$d/one"
	echo inherits >"$d/many/inherits"
	mkdir "$d/many/inherits-too"
	# half of a large directory goes away
	rm "$d/many/"{2..150}
	touch -d @1234567890 "$d/plain/patch"
	touch -h -d @1111111111 "$d/dir/soft"
	touch -d @-5000 "$d/plain/append"
}

# Times of everything that was touched by the way are set alike, deepest first.
settle() {
	find "$1" -mindepth 1 -newermt 2020-01-01 -depth -exec touch -h -d @1600000000 {} +
}

umask 022
make_disc disc.img 400M # less than the disk has free: else that would be what changes while other tests run
mount_disc disc.img mnt
for where in base new; do
	mkdir "host-$where"
	populate "host-$where"
done
populate mnt/base
commit mnt BASE
unmount mnt
mount_disc disc.img mnt
populate mnt/new
assert_same_tree mnt/base host-base --without mtime
assert_same_tree mnt/new host-new --without mtime
for where in base new; do
	change "host-$where"
	change "mnt/$where"
	assert_same_tree "mnt/$where" "host-$where" --without mtime
	settle "host-$where"
	settle "mnt/$where"
	assert_same_tree "mnt/$where" "host-$where" --without root
	# readdir and lookup agree about names, numbers and types
	fsop readdir "mnt/$where/many" >listed
	(cd "mnt/$where/many" && stat -c '%n %i %F' -- *) |
		sed -e 's/directory$/dir/' -e 's/regular.*file$/file/' | LC_ALL=C sort >looked-up
	LC_ALL=C sort listed | cmp - looked-up
done
check_room() {
	local before after
	before=$(df --output=avail -B1 mnt | tail -n 1)
	head -c 3000000 /dev/urandom >mnt/room
	sync -f mnt
	after=$(df --output=avail -B1 mnt | tail -n 1)
	assert_less 2999999 $((before - after)) "room taken by 3,000,000 bytes"
	assert_less $((before - after)) 3200000 "room taken by 3,000,000 bytes"
	rm mnt/room
	sync -f mnt
	after=$(df --output=avail -B1 mnt | tail -n 1)
	assert_less $((before - after)) 100000 "room not given back"
}
check_room
# Rock Ridge has no place for slashes that mean nothing; such a target still leads to the same file.
ln -s ..//base/./top/ mnt/new/slashes
ln -s //etc// mnt/new/root
commit mnt CHANGED
assert_match "$(readlink mnt/new/slashes)" '^../+base/./top/?$'
assert_match "$(readlink mnt/new/root)" '^/+etc/*$'
rm mnt/new/slashes mnt/new/root
touch -d @1600000000 mnt/new
commit mnt
for round in committed remounted "from the disc alone"; do
	for where in base new; do
		assert_same_tree "mnt/$where" "host-$where" --without root
	done
	assert_equal "$(cat mnt/.discfs/changes)" "" "changes when $round"
	unmount mnt
	[ "$round" = committed ] || rm -rf "$XDG_STATE_HOME"
	mount_disc disc.img mnt
done
unmount mnt
check_state
extract_xorriso disc.img extracted
for where in base new; do
	assert_same_tree "extracted/$where" "host-$where" --without root,softmeta
done
