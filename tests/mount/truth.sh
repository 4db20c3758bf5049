#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 300
# No failure passes for success: every way to ask for a commit, at every fault point (tests/fault/truth.py), and with
# real faults: no room, an image that can't be written, that is another, that is damaged; workers that can't be started.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires_root
requires jq python3 setfattr chattr prlimit

# --- what goes wrong at a fault point

make_disc template.img 24M
mount_disc template.img mnt
for i in 1 2 3 4 5 6 7 8; do
	seq "$i" 400 >"mnt/base$i"
done
commit mnt TEMPLATE
unmount mnt
timeout 280 python3 -I "$TESTS/fault/truth.py" "$BUILD/fault/points" template.img "$T/cases" ${DISCFS_TRUTH_ALL:+all}

# --- what goes wrong with the world

cat >ask.py <<'END'
"""Asks for a commit by system calls, and says the errno."""
import errno, os, sys
def told(call, *arguments):
    try:
        call(*arguments)
    except OSError as error:
        return errno.errorcode[error.errno]
    return "success"
control = os.open(sys.argv[1] + "/.discfs/control", os.O_WRONLY)
print(told(os.setxattr, sys.argv[1], "user.discfs.commit", b""), told(os.write, control, b"commit\n"))
END

# all_fail EXIT-CODE ERRNO WORDS: every way is told so, nothing is burned, and all is staged
all_fail() {
	local code=$1 name=$2 words=$3
	assert_equal "$(timeout 100 python3 ask.py mnt)" "$name $name"
	assert_exit 1 setfattr -n user.discfs.commit -v X mnt
	assert_exit 1 tell mnt commit
	assert_exit "$code" discfsctl commit mnt
	grep -qE "$words" out || fail "it isn't said that $words"
	grep -q "everything is still staged" out
	assert_exit 0 discfsctl commit mnt --no-wait
	assert_exit "$code" discfsctl wait mnt
	grep -qE "$words" out
	assert_exit "$code" discfsctl umount mnt
	grep -q "stays mounted" out
	assert_equal "$(status mnt .last.exit)" "$code"
	assert_exit 0 discfsctl status mnt
	grep -qE "$words" out
	assert_equal "$(cat mnt/.discfs/changes)" "A new"
	assert_same_bytes mnt/new new
}

# all_well: the fault is gone
all_well() {
	commit mnt WELL
	assert_equal "$(cat mnt/.discfs/changes)" ""
	assert_equal "$(status mnt '.sessions | length')" 2
	unmount mnt
	extract_xorriso "$1" extracted >/dev/null 2>&1
	assert_same_bytes extracted/new new
	assert_same_bytes extracted/base3 <(seq 3 400)
}

head -c 300000 /dev/urandom >new
stage() { # IMAGE [COMMAND…]: mounts it, and puts something there
	rm -rf "$XDG_STATE_HOME"
	mount_disc "$1" mnt -o commit=unmount
	cp new mnt/new
}

mkdir host
mount -t tmpfs -o size=8M tmpfs host

# the host's file system has no room for the session
cp --sparse=always template.img host/disc.img
stage host/disc.img
dd if=/dev/zero of=host/filler bs=4k status=none 2>/dev/null || true
all_fail 13 ENOSPC "than its file system has free"
rm host/filler
all_well host/disc.img

# the image can't be written any more
cp --sparse=always template.img host/disc.img
stage host/disc.img
chattr +i host/disc.img
all_fail 20 EPERM "disc.img can't be opened for writing: Operation not permitted"
chattr -i host/disc.img
mount --bind host host
mount -o remount,bind,ro host
all_fail 12 EROFS "disc.img can't be opened for writing: Read-only file system"
umount host
all_well host/disc.img

# another file has its name, or none
cp --sparse=always template.img host/disc.img
stage host/disc.img
mv host/disc.img host/away.img
all_fail 11 ESTALE "disc.img isn't there any more: put the image that was mounted back"
cp --sparse=always template.img host/disc.img
all_fail 11 ESTALE "disc.img isn't the file any more that was mounted"
mv host/away.img host/disc.img
all_well host/disc.img

# somebody cuts the image off behind the commit's back: what is lost must not pass for recorded
for point in phase-planned-after phase-written-after phase-checked-after; do
	cp --sparse=always template.img host/disc.img
	rm -rf "$XDG_STATE_HOME" go
	DISCFS_FAULT=$point:await=$T/go mount_disc host/disc.img mnt
	cp new mnt/new
	{ sleep 0.5 && truncate -s 100000 host/disc.img && touch go; } &
	attempt discfsctl commit mnt >out 2>&1
	cat out
	case $attempted in
	20 | 21) ;;
	*) fail "exit code $attempted of a commit to an image that was cut off at $point" ;;
	esac
	grep -qE "cut off|truncated" out
	grep -q "everything is still staged" out
	assert_equal "$(cat mnt/.discfs/changes)" "A new"
	assert_same_bytes mnt/new new
	unmount mnt
done

# no worker can be started: the program may not be executed, or there are no descriptors left
cp --sparse=always template.img host/disc.img
cp "$BUILD/discfs" discfs
PATH=$T:$PATH stage host/disc.img
chmod 000 discfs
all_fail 2 EIO "worker could not be started"
chmod 755 discfs
prlimit --pid "$(daemon_of mnt)" --nofile=4:4096
all_fail 2 EMFILE "Too many open files"
prlimit --pid "$(daemon_of mnt)" --nofile=4096:4096
all_well host/disc.img

# the state directory's disk is full
cp --sparse=always template.img disc.img
rm -f host/*
mount_disc disc.img mnt -o commit=unmount,state="$T/host/state"
cp new mnt/new
sync -f mnt
dd if=/dev/zero of=host/filler bs=4k status=none 2>/dev/null || true
all_fail 13 ENOSPC "host/state.*No space left on device"
rm host/filler
all_well disc.img
umount host
