#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 120
# A C project, discfsctl, is built in the mount with make -j2, as in a directory. The same is compiled and the same
# comes out; it runs; make then finds nothing to do, and after a touched header only what depends on it. That is so
# after a commit, after a remount, and from the disc alone too, though a disc knows no fractions of seconds.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires make cc pkg-config jq

unset MAKELEVEL MAKEFLAGS MFLAGS # of the make that runs this test

# Not -g: it would put the directory into the binaries.
build() {
	make --no-print-directory -j2 OPT=-O0 build/discfsctl
}
is_built() {
	make --no-print-directory -q OPT=-O0 build/discfsctl
	build/discfsctl --version
}
assert_built() {
	both_do is_built
	both_do build
	assert_equal "$(cat said)" "make: 'build/discfsctl' is up to date."
}
compiled() {
	grep -c -e ' -c ' said
}
build_while_burning() {
	if [ "${PWD##*/}" = mnt ]; then
		discfsctl commit . --label "WHILE IT BUILDS" >/dev/null &
	fi
	build
	wait
}
touch_header() {
	touch src/base/vec.h
}

mkdir host
make_disc disc.img dvd
mount_disc disc.img mnt
both_do cp -a "$TOP/src" "$TOP/Makefile" .
both_do rm -rf build
both_do build
all=$(compiled)
assert_less 30 "$all" "files compiled"
assert_same_tree mnt host --without root,mtime
assert_built

both_do touch_header
both_do build
assert_less 0 "$(compiled)" "files compiled again"
assert_less "$(compiled)" "$all" "files compiled again"
assert_built

commit mnt BUILT
assert_built
unmount mnt
mount_disc disc.img mnt
assert_built
both_do touch_header
both_do build_while_burning
assert_less "$(compiled)" "$all" "files compiled again"
assert_built
assert_same_tree mnt host --without root,mtime
commit mnt AGAIN
unmount mnt
rm -rf "$XDG_STATE_HOME"
mount_disc disc.img mnt
assert_built
both_do make --no-print-directory clean
assert_same_tree mnt host --without root,mtime
unmount mnt
