#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 180
# The whole path as an ordinary user: create, mount by fusermount3, write, commit, unmount, the demonstration; an image
# that the user may only read; and what other users may do with such a mount.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires_root # to make a user
requires runuser useradd userdel fusermount3 rsync xorriso jq setfattr getfattr
[ -u "$(readlink -f "$(command -v fusermount3)")" ] || skip "fusermount3 isn't setuid"
[ -e /etc/mtab ] || skip "without /etc/mtab fusermount3 unmounts nothing for ordinary users"

user=discfs-test-$$
useradd --system --create-home --home-dir "$T/home" --shell /bin/bash "$user"
cleanup_fn userdel "$user"
open_fuse
cp "$BUILD/discfs" "$BUILD/discfsctl" "$T/" # a clone may lie where users don't get
mkdir demo
cp -r "$TOP/tests" "$TOP/src" demo/

as_user() {
	timeout 120 runuser -u "$user" -- env -i PATH="$T:/usr/bin:/bin:/usr/sbin:/sbin" HOME="$T/home" LC_ALL=C.UTF-8 \
		DISCFS_TEST_ID="$DISCFS_TEST_ID" "$@"
}

cd home
as_user discfsctl create disc.img --media cd
as_user mkdir mnt
assert_fails "disc.img can't be mounted on /usr: it must be a directory that you may write to" as_user discfs disc.img /usr
as_user sh -c 'exec discfs disc.img mnt -o ro 2>&1' >said
assert_equal "$(cat said)" "" "what it says of what it was told"
as_user discfsctl umount mnt
as_user discfs disc.img mnt
daemon=$(as_user jq .pid mnt/.discfs/status.json)
assert_equal "$(stat -c %U "/proc/$daemon")" "$user" "owner of the daemon"
assert_match "$(as_user jq -r .state_directory mnt/.discfs/status.json)" "^$T/home/.local/state/discfs/"
as_user rsync -a /usr/include/linux/ mnt/headers/
as_user sh -c 'echo mine >mnt/file && chmod 640 mnt/file && setfattr -n user.word -v mine mnt/file'
as_user discfsctl commit mnt --label MINE
as_user sh -c 'mv mnt/headers mnt/renamed && echo more >>mnt/file && rm mnt/renamed/fuse.h'
as_user setfattr -n user.discfs.commit -v AGAIN mnt
assert_equal "$(as_user stat -c '%U %a %s' mnt/file)" "$user 640 10"

# root is let in by FUSE only with allow_other: it may not even look
assert_fails "Permission denied" ls mnt
for command in status commit umount 'discard --yes'; do
	# shellcheck disable=SC2086 # words
	assert_fails "only user $(id -u "$user"), who mounted it, may ask and control it" discfsctl $command mnt
done
as_user discfsctl umount mnt
await_end "$daemon"
as_user discfs disc.img mnt
# nor does root take it away by its name only
assert_exit 14 discfsctl eject disc.img
grep -q "mounted on $T/home/mnt by $user" "$T/out"
assert_equal "$(as_user cat mnt/file | tr '\n' ' ')" "mine more "
as_user diff -r -x fuse.h /usr/include/linux mnt/renamed
[ ! -e mnt/renamed/fuse.h ]
as_user fusermount3 -u mnt
cd "$T"
assert_equal "$(toc home/disc.img | grep -c '^ISO session')" 2

# an image without write permission
cp home/disc.img readonly.img
chmod 444 readonly.img
cd home
as_user discfs ../readonly.img mnt 2>said
cat said
grep -q "mounted read-only: no permission to write" said
assert_fails "Read-only file system" as_user touch mnt/new
assert_fails "Read-only file system" as_user setfattr -n user.discfs.commit -v X mnt
assert_equal "$(as_user jq -r .read_only mnt/.discfs/status.json)" true
assert_match "$(as_user jq -r .read_only_reason mnt/.discfs/status.json)" "no permission to write"
assert_equal "$(as_user head -n 1 mnt/file)" mine
as_user discfsctl umount mnt
chmod 0 ../readonly.img
assert_exit 2 as_user discfs ../readonly.img mnt
grep -q "Permission denied" "$T/out"

# a mount of root's: others read as permissions say, and control nothing
cd "$T"
make_disc root.img
mount_disc root.img rootmnt
echo public >rootmnt/public
echo secret >rootmnt/secret
chmod 600 rootmnt/secret
assert_equal "$(as_user cat rootmnt/public)" public
assert_fails "Permission denied" as_user cat rootmnt/secret
assert_fails "Permission denied" as_user touch rootmnt/new
assert_fails "ermi" as_user setfattr -n user.discfs.commit -v X rootmnt
assert_exit 2 as_user discfsctl commit rootmnt
for name in status progress; do # these have names of files in them
	getfattr -n user.discfs.$name rootmnt
	assert_fails "Permission denied" as_user getfattr -n user.discfs.$name rootmnt
done
assert_equal "$(toc root.img | grep -c '^ISO session')" 0
unmount rootmnt

# the demonstration
chown -R "$user" demo
cd demo
as_user env DISCFS_BUILD="$T" tests/demo.sh
