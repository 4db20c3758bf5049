#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 180
# mount(8) and umount(8) with the installed helpers, by root and by an ordinary user: what umount waits for, what it
# burns, when it refuses, and what becomes of it where nobody sits at a terminal. The burn stands still (burn-middle)
# until the test wants it to go on.
#
# The helpers must be in /sbin: all of this happens in a mount namespace of its own, with another /sbin and /etc/fstab.
[ -n "${UMOUNT_TEST_INSIDE:-}" ] || exec env UMOUNT_TEST_INSIDE=1 unshare --mount --propagation private bash "$0" "$@"
. "$(dirname "$0")/../lib.sh"
leave_other_mounts
requires_fuse
requires_root
requires unshare runuser useradd userdel fusermount3 jq script
[ -u "$(readlink -f "$(command -v fusermount3)")" ] || skip "fusermount3 isn't setuid"
[ -e /etc/mtab ] || skip "without /etc/mtab fusermount3 unmounts nothing for ordinary users"

user=discfs-test-$$
useradd --system --create-home --home-dir "$T/home" --shell /bin/bash "$user"
cleanup_fn userdel "$user"
open_fuse

as_user() {
	timeout 120 runuser -u "$user" -- env -i PATH="$T/usr/bin:/usr/bin:/bin:/usr/sbin:/sbin" HOME="$T/home" \
		LC_ALL=C.UTF-8 DISCFS_TEST_ID="$DISCFS_TEST_ID" "$@"
}

mounted() { # OPTIONS [FAULT]: mounts disc.img on mnt
	rm -f go
	DISCFS_FAULT=${2:-} timeout 60 mount -t discfs -o "$1" "$T/disc.img" mnt
	daemon=$(daemon_of mnt)
}
slow=burn-middle:await=$T/go

stage() {
	head -c 2000000 /dev/urandom >mnt/new
}

await_burning() { # DIR
	local i
	for ((i = 0; i < 300; i++)); do
		[ "$(status "$1" '.work.phase == "burning"')" != true ] || return 0
		sleep 0.05
	done
	fail "it doesn't burn: $(status "$1" .)"
}

await_process() { # WORD…: of pgrep
	local i
	for ((i = 0; i < 200; i++)); do
		! pgrep "$@" >/dev/null || return 0
		sleep 0.05
	done
	fail "there is no process: pgrep $*"
}

sessions() { # IMAGE
	toc "$1" | grep -c '^ISO session' || true
}

umount_while_burning() {
	mounted defaults "$slow"
	stage
	tell mnt commit-nowait
	await_burning mnt
	umount mnt &
	umounting=$!
}

install_discfs
mkdir mnt
make_disc disc.img 200M

# --- root: a commit under way is waited for

mounted x-gvfs-show,user=nobody,nofail,_netdev,x-systemd.mount-timeout=infinity,X-mount.mkdir "$slow"
assert_equal "$(status mnt .umount_mode)" wait
stage
tell mnt commit-nowait
await_burning mnt
timeout 60 umount mnt >said 2>&1 &
umounting=$!
await_process -f "^/sbin/umount.fuse.discfs $T/mnt"
sleep 0.5
kill -0 $umounting
mountpoint -q mnt
assert_fails "in use" timeout 60 mount -t discfs disc.img mnt
touch go
wait $umounting
assert_not_mounted mnt
await_end "$daemon" 0 # it waited for that, too
assert_equal "$(sessions disc.img)" 1

# a umount that is killed: its helper goes on
umount_while_burning
await_process -P $umounting
kill -9 $umounting
mountpoint -q mnt
touch go
await_end "$daemon"
assert_not_mounted mnt
assert_equal "$(sessions disc.img)" 2

# the daemon dies while umount waits: what is left goes, and the commit hasn't been done
umount_while_burning
await_process -f "^/sbin/umount.fuse.discfs $T/mnt"
mapfile -t workers < <(pgrep -P "$daemon")
sleep 0.3
kill -9 "$daemon" "${workers[@]}"
await_end "$daemon"
attempted=0
wait $umounting || attempted=$?
assert_equal "$attempted" 32
assert_not_mounted mnt

# what is put in its place meanwhile isn't taken for it
mkdir -p place/disc others/disc
mount -t tmpfs none others/disc
rm -f go
DISCFS_FAULT=$slow timeout 60 mount -t discfs disc.img place/disc
daemon=$(daemon_of place/disc)
date +%N >place/disc/new
tell place/disc commit-nowait
await_burning place/disc
umount place/disc &
umounting=$!
await_process -f "^/sbin/umount.fuse.discfs $T/place/disc"
mv place moved
ln -s others place
touch go
attempted=0
wait $umounting || attempted=$?
assert_equal "$attempted" 32
mountpoint -q others/disc
umount moved/disc others/disc
await_end "$daemon"
rm place

# one of several places isn't the end of the mount: nothing is burned, nor waited for
mounted commit=unmount
stage
mkdir bound
mount --bind mnt bound
began=$(status mnt .base.session)
timeout 60 umount mnt
assert_not_mounted mnt
timeout 60 discfsctl umount bound >said # the last one
grep -q "Session $((began + 1)) is burned and verified" said
await_end "$daemon" 0
mounted defaults
mount --bind mnt bound
assert_exit 14 discfsctl eject disc.img
timeout 60 discfsctl umount bound >said
grep -q "bound is unmounted; the disc stays mounted on $T/mnt\$" said
kill -0 "$daemon"
unshare --mount --propagation private sh -c ': >inside; exec sleep 60' &
holder=$!
for ((i = 0; i < 100; i++)); do
	[ ! -e inside ] || break
	sleep 0.05
done
timeout 60 umount mnt 2>said
grep -q "stays mounted elsewhere, maybe in another mount namespace" said
kill $holder
await_end "$daemon"

# nothing is committed that nobody asked for
mounted defaults
stage
timeout 60 umount mnt
assert_equal "$(sessions disc.img)" $((began + 1))

# --- commit=unmount

mounted commit=unmount burn-middle:5
assert_exit 32 umount mnt
grep -q "mnt stays mounted, and what is staged stays staged" out
mountpoint -q mnt
[ "$(status mnt .staged.modified)" != 0 ]
kill -TERM "$daemon"
await_end "$daemon"
base=$(sessions disc.img)

mounted commit=unmount
exec 5<mnt/new
assert_exit 32 umount mnt
grep -q "mnt is in use: bash ([0-9]*)" out
exec 5<&-
assert_equal "$(status mnt .last)" null # asked before anything was burned
(cd mnt && sleep 60) &
standing=$!
await_process -P $standing sleep
assert_exit 32 umount mnt
pkill -P $standing sleep
wait $standing || true
mkdir mnt/below
mount -t tmpfs none mnt/below
assert_exit 32 umount mnt
grep -q "is in use" out
umount mnt/below
assert_equal "$(status mnt .last)" null
RUNLEVEL=0 timeout 60 umount mnt
assert_equal "$(sessions disc.img)" "$base" # the system goes down: nothing begins

mounted commit=unmount,umount=refuse
assert_exit 32 umount mnt
grep -q "unmounting would burn" out
assert_equal "$(status mnt .last)" null
timeout 60 script -qec "umount mnt" said </dev/null # at a terminal it's done
grep -q "Session $((base + 1)) is burned and verified" said
assert_not_mounted mnt
mounted umount=refuse
timeout 60 umount mnt # nothing to wait for

# --- handed over

mounted commit=unmount,umount=handover "$slow"
stage
began=$(date +%s)
timeout 60 umount mnt
assert_less $(($(date +%s) - began)) 8 "seconds"
assert_not_mounted mnt
kill -0 "$daemon"
assert_fails "in use" timeout 60 mount -t discfs disc.img mnt
assert_fails "in use" timeout 60 discfs disc.img mnt
touch go
await_end "$daemon"
assert_equal "$(sessions disc.img)" $((base + 2))
mounted defaults
assert_equal "$(status mnt .base.session)" $((base + 2))
umount mnt

# busy: nothing is handed over
mounted commit=unmount,umount=handover "$slow"
stage
exec 5<mnt/new
assert_exit 32 umount mnt
exec 5<&-
timeout 60 umount mnt
# and when that daemon dies, the next mount tells
await_process -P "$daemon"
mapfile -t workers < <(pgrep -P "$daemon")
kill -9 "$daemon" "${workers[@]}"
await_end "$daemon"
timeout 60 mount -t discfs disc.img mnt 2>said
cat said
grep -q "the commit that was to follow an unmounting didn't come to its end" said
discfsctl log --all mnt | grep -q "didn't come to its end"
[ "$(status mnt .staged.modified)" != 0 ]
umount mnt
timeout 60 mount -t discfs disc.img mnt 2>said
[ ! -s said ] # once
umount mnt

# --- an ordinary user, by a line of fstab

echo "$T/home/disc.img $T/home/mnt discfs user,noauto,nofail,commit=unmount,umount=handover,x-gvfs-show 0 0" >"$T/fstab"
cd "$T/home"
as_user discfsctl create disc.img --size 100M
as_user mkdir mnt
as_user mount mnt
as_user sh -c 'id -un >mnt/who && exec setfattr -n user.discfs.commit mnt'
as_user sh -c 'id -un >mnt/again'
as_user sh -c 'exec sleep 60 <mnt/who' &
await_process -u "$user" -x sleep
assert_exit 32 as_user umount mnt
grep -q "mnt is in use: sleep" "$T/out"
pkill -u "$user" -x sleep
wait $! || true
daemon=$(as_user jq .pid mnt/.discfs/status.json)
assert_equal "$(stat -c %U "/proc/$daemon")" "$user" "owner of the daemon"
as_user umount mnt # no terminal
assert_not_mounted mnt
await_end "$daemon"
assert_equal "$(sessions disc.img)" 2
as_user mount mnt
as_user sh -c 'echo more >>mnt/again'
daemon=$(as_user jq .pid mnt/.discfs/status.json)
assert_fails "Permission denied" ls mnt
timeout 60 umount mnt # root asks as the user
assert_not_mounted mnt
await_end "$daemon"
assert_equal "$(sessions disc.img)" 3
as_user mount mnt
assert_equal "$(as_user cat mnt/again)" "$user"$'\nmore'
daemon=$(as_user jq .pid mnt/.discfs/status.json)
kill -9 "$daemon"
await_end "$daemon"
as_user umount mnt # what is left of it
assert_not_mounted mnt
