#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 120
# tar, bsdtar, cpio and zip make the same archives of a tree in the mount as of one in a directory, byte for byte
# where the format allows that, and unpack into the mount what they unpack elsewhere; so also of what is on the disc.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires_root # owners and devices
requires tar bsdtar cpio zip unzip python3 setfattr jq

# Formats that hold no sockets skip them, and say so or not.
python3 "$TESTS/plant.py" source 250 3
rm source/special/socket
touch -d @1500000000 source/special
manifest source --with nanoseconds >source.ns
manifest source >source.s
# zip knows regular files, directories and symlinks, and no newlines
mkdir simple
cp -a source/. simple/
(
	cd simple
	find . -depth -name $'*\n*' -exec rm -r {} +
	rm -r special
	find . -type f -links +1 -delete
	find . -depth -exec touch -h -d @1400000000 {} +
)
mkdir host
make_disc disc.img dvd
mount_disc disc.img mnt

pack_tar() {
	rm -f tree.tar sparse.tar
	tar --xattrs --xattrs-include='*' --acls --sort=name --format=posix \
		--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime -cf tree.tar in
	tar --xattrs --xattrs-include='*' --acls -cSf sparse.tar in
	tar -df tree.tar # compares the archive with the tree
}
unpack_tar() {
	local archive
	for archive in tree sparse; do
		mkdir "out-$archive"
		tar --xattrs --xattrs-include='*' --acls -xpf "$archive.tar" -C "out-$archive"
		tar -df "$archive.tar" -C "out-$archive"
	done
	tar -tvf tree.tar
}
# bsdtar also keeps the flags of lsattr, which FUSE mounts don't have
bsd() {
	bsdtar --no-fflags --xattrs --acls "$@"
}
pack_others() {
	rm -rf bsd.tar tree.cpio tree.zip
	bsd --format=pax -cf bsd.tar in
	find in -print0 | LC_ALL=C sort -z | cpio --quiet -0 -o -H newc --reproducible >tree.cpio
	(cd simple && find . | LC_ALL=C sort | zip -q -X -y ../tree.zip -@)
}
unpack_others() {
	mkdir out-bsd out-cpio out-zip
	bsd -xpf bsd.tar -C out-bsd
	(cd out-cpio && cpio --quiet -idm <../tree.cpio)
	unzip -q tree.zip -d out-zip
	unzip -tqq tree.zip
	(cd simple && find . -type f | LC_ALL=C sort | sed -n 1,5p | zip -q -X ../tree.zip -@)
	zip -q -d tree.zip '*.txt'
	unzip -Z1 tree.zip
}
check_unpacked() { # EXPECTED MANIFEST-OPTIONS…
	local tree expected=$1
	shift
	for tree in tree sparse bsd; do
		assert_same_tree "mnt/out-$tree/in" "$expected" "$@"
	done
	# these keep less, the same here and there
	assert_same_tree mnt/out-cpio host/out-cpio --without mtime
	assert_same_tree mnt/out-zip host/out-zip --without mtime
}
story() {
	both_do pack_tar
	assert_same_bytes mnt/tree.tar host/tree.tar
	both_do pack_others
	assert_same_bytes mnt/tree.cpio host/tree.cpio
	assert_same_bytes mnt/tree.zip host/tree.zip
	both_do unpack_tar
	both_do unpack_others
}

both_do cp -a ../source in
both_do cp -a ../simple simple
story
check_unpacked source.ns --with nanoseconds
mkdir from-mount
tar --xattrs --xattrs-include='*' --acls -xpf mnt/sparse.tar -C from-mount
assert_same_tree from-mount/in source.ns --with nanoseconds

commit mnt ARCHIVES
unmount mnt
rm -rf "$XDG_STATE_HOME" # whole seconds from here on
mount_disc disc.img mnt
check_unpacked source.s
both_do rm -r out-tree out-sparse out-bsd out-cpio out-zip
# the directory's files lose the fractions that the disc's have lost
python3 -c '
import os
for path, dirs, files in os.walk("host/in", topdown=False):
    for name in files + dirs + ["."]:
        name = os.path.join(path, name)
        second = os.lstat(name).st_mtime_ns // 1000000000
        os.utime(name, (second, second), follow_symlinks=False)'
story
check_unpacked source.s
unmount mnt
check_state
