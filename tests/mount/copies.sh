#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 120
# cp -a carries a tree with one of everything into the mount, around in it and out again, and nothing is lost: types,
# modes, owners, ACLs, attributes, hard links, holes, times to the nanosecond; after a commit and a remount, times to
# the second. So do mv over the mount's border, setfacl --restore and Python's shutil.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires_root # owners and devices
requires python3 setfattr setfacl getfacl jq

check_copies() { # [MANIFEST-OPTIONS]
	local tree
	for tree in "${copies[@]}"; do
		assert_same_tree "mnt/$tree" "source.manifest${2:-}" "$@"
	done
}

python3 "$TESTS/plant.py" source 200 1
manifest source >source.manifest
manifest source --with nanoseconds >source.manifestnanoseconds
mkdir host
make_disc disc.img dvd
mount_disc disc.img mnt

# --- cp: in, inside, out
copies=(in inside sparse full)
both_do cp -a ../source in
both_do cp -a in inside
both_do cp -a --reflink=auto --sparse=always in sparse
both_do cp -a --reflink=never --sparse=never inside full
check_copies --with nanoseconds
cp -a mnt/in out
assert_same_tree out source --with nanoseconds

some=$(cd source && find . -type f -name 'file*.txt' -size +1k | sort | sed -n 1p)
# --- cp's other ways; what it refuses
both_do cp -al in links
assert_same_tree mnt/links source --without links
assert_equal "$(stat -c %h mnt/in/special/fifo)" 2 "links of a file that cp -l linked"
both cp -a in/. in/./
both cp in nothing
both_do cp -anv ../source/. in/
both_do cp -auv ../source/. in/
both_do cp -a --remove-destination -v in/special links/ # what it replaces is there again, and no link any more
both_do cp -a --backup=numbered in/special/fifo in/special/null links/special/
both_do cp --attributes-only --preserve=all "links/$some" links/empty
both_do cp -RL --no-preserve=all links/special/loop links/special/again
both_do rm -r links

# --- mv inside, out of the mount and back, over something that is there
both_do mv full moved
move_out_and_back() {
	mv moved "../moved-${PWD##*/}"
	cp -a "../moved-${PWD##*/}" full
	mv -T "../moved-${PWD##*/}" moved
}
both_do move_out_and_back
copies=(in inside sparse full moved)
check_copies --with nanoseconds
both mv in/special moved
both mv -n in/special/fifo moved/special/
both_do mv -bv moved/special/fifo moved/special/null
both_do mv -v moved/special/null moved/special/fifo
both_do mv -v moved/special/null~ moved/special/null
both_do touch -r in/special moved/special
check_copies --with nanoseconds

# --- lists of permissions: taken down, wiped, and restored
take_acls() {
	local acls=../../acls-${PWD##*/}
	cd inside
	# in one order, for --restore carries something over from name to name
	find . ! -type l -print0 | LC_ALL=C sort -z | xargs -0 getfacl -p >"$acls"
}
restore_acls() {
	local acls=../../acls-${PWD##*/}
	cd inside
	setfacl --restore="$acls"
}
both_do take_acls
both_do setfacl -R -b -k inside
both_do chmod -R u=rwX,go= inside
both_do chown -R -h 7:8 inside
both_do chgrp -R -h 9 inside
both_do setfacl -R -m u:4321:rX -m d:u:4321:rX inside
both_do getfacl -R -p inside
both_do restore_acls
assert_same_tree mnt/inside host/inside --with nanoseconds # and modes of 0 come back as others
both_do rm -r inside
both_do cp -a in inside

# --- Python's shutil
copy_python() {
	python3 -c '
import os, shutil
shutil.copytree("in", "python", symlinks=True, ignore=shutil.ignore_patterns("special"))
shutil.move("python", "python-moved")
print(sum(len(names) for _, _, names in os.walk("python-moved")))
shutil.copytree("in/special", "special", copy_function=os.link, symlinks=True)
shutil.rmtree("special")
shutil.copy2("python-moved/file8.txt", "copied") if os.path.exists("python-moved/file8.txt") else None
print(shutil.disk_usage(".").total > 0)'
}
both_do copy_python
assert_same_tree mnt/python-moved host/python-moved --with nanoseconds

# --- the same from the disc
copies=(in inside sparse full moved)
commit mnt COPIES
check_copies
unmount mnt
mount_disc disc.img mnt
check_copies
assert_same_tree mnt/python-moved host/python-moved

# --- copies of what is on the disc, and moves of it
both_do cp -a --reflink=auto --sparse=always in again
both_do cp -al in linked
both_do rm -r linked
move_out() {
	mv inside "../inside-${PWD##*/}"
}
both_do move_out
assert_same_tree inside-mnt source
rm -r out
cp -a mnt/in out
assert_same_tree out source
copies=(in again sparse full moved)
check_copies
commit mnt AGAIN
unmount mnt
mount_disc disc.img mnt
check_copies
unmount mnt
check_state
