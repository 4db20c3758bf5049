#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What goes over D-Bus: logind keeps the machine up while sectors are written and not a moment longer, nothing is begun
# when it goes down, and the desktop is told how a commit ended. A real bus; logind and the desktop are stand-ins
# (python-dbusmock). Without a bus nothing happens, which all other tests show.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires dbus-daemon gdbus jq
/usr/bin/python3 -c 'import dbusmock' || skip "needs python3-dbusmock"

bus=unix:path=$T/bus
dbus-daemon --session --nofork --nopidfile --address="$bus" 2>bus.log &
export DBUS_SYSTEM_BUS_ADDRESS=$bus DBUS_SESSION_BUS_ADDRESS=$bus
await test -S bus
/usr/bin/python3 -m dbusmock --template logind >logind.log 2>&1 &
/usr/bin/python3 -m dbusmock --template notification_daemon >desktop.log 2>&1 &
ask() { # DESTINATION PATH METHOD ARGUMENT…
	timeout 20 gdbus call --address "$bus" --dest "$1" --object-path "$2" --method "${@:3}"
}
login=org.freedesktop.login1 manager=/org/freedesktop/login1
timeout 20 gdbus wait --address "$bus" $login
timeout 20 gdbus wait --address "$bus" org.freedesktop.Notifications

inhibitors() {
	ask $login $manager $login.Manager.ListInhibitors
}

inhibitors_are() { # REGEX
	[[ $(inhibitors) =~ $1 ]]
}

is_told() { # WORDS
	grep "$1" desktop.log
}

make_disc disc.img 200M
empty='ssssuu\) \[\],'
assert_match "$(inhibitors)" "$empty"

# before the first sector, while it's written, while it's read back, and behind
DISCFS_FAULT=phase-planned-before:await=$T/one,burn-middle:await=$T/two,check-start:await=$T/three mount_disc disc.img mnt
head -c 2000000 /dev/urandom >mnt/new
tell mnt commit-nowait
await status_is mnt .work.phase planning
await inhibitors_are "$empty" # also not of the look at whether it must be formatted
touch one
await status_is mnt .work.phase burning
await inhibitors_are "'sleep:shutdown:idle', 'discfs', '$T/disc.img is being burned', 'block'"
touch two
await status_is mnt .work.phase verifying
await inhibitors_are "$empty"
touch three
discfsctl wait mnt
await inhibitors_are "$empty"
await is_told "disc.img: burned and verified"
[ "$(grep -c "failed" desktop.log)" = 0 ]
unmount mnt

# a burn that fails lets go, too, and so does one whose daemon dies
DISCFS_FAULT=burn-middle:5 mount_disc disc.img mnt
echo x >mnt/x
attempt tell mnt commit
[ $attempted != 0 ]
await inhibitors_are "$empty"
await is_told "disc.img: the commit failed"
unmount mnt
# D-Bus takes UTF-8 only; names of files may be anything
mv disc.img $'d\xefsc.img'
DISCFS_FAULT=burn-middle:await=$T/four mount_disc $'d\xefsc.img' mnt
tell mnt commit-nowait
await status_is mnt .work.phase burning
await inhibitors_are "/d�sc.img is being burned"
kill_daemon mnt
touch four
await inhibitors_are "$empty"
mount_disc $'d\xefsc.img' mnt
echo y >mnt/y
discfsctl commit mnt --no-verify
await is_told "sc.img: burned, not verified"
echo z >mnt/z
unmount mnt
mv $'d\xefsc.img' disc.img
base=$(toc disc.img | grep -c '^ISO session')

# the machine goes down: an unmounting that would commit burns nothing
mount_disc disc.img mnt -o commit=unmount
[ "$(status mnt .staged.added)" = 1 ]
ask $login $manager org.freedesktop.DBus.Mock.UpdateProperties $login.Manager "{'PreparingForShutdown': <true>}"
cp desktop.log before.log
timeout 60 discfsctl umount mnt >said 2>&1
cat said
grep -q "nothing is burned now, since the system is going down; what is staged stays staged" said
mount_disc disc.img mnt -o commit=unmount
unmount mnt # the same without a helper
ask $login $manager org.freedesktop.DBus.Mock.UpdateProperties $login.Manager "{'PreparingForShutdown': <false>}"
cmp desktop.log before.log
assert_equal "$(toc disc.img | grep -c '^ISO session')" "$base"

# systemd may unmount for a time-out: what belongs to a .mount unit burns nothing (tests/guest has the real one)
for unit in /sys/fs/cgroup/unified /sys/fs/cgroup/systemd /sys/fs/cgroup; do
	unit=$unit/discfs-test-$$.mount
	! { mkdir "$unit" && [ -w "$unit/cgroup.procs" ]; } 2>/dev/null || break
	rm -rf "$unit"
	unit=
done
if [ -n "$unit" ]; then
	cleanup_fn rmdir "$unit"
	mount_disc disc.img mnt -o commit=unmount
	# shellcheck disable=SC2016 # for the inner shell
	timeout 60 bash -c 'echo $$ >"$1/cgroup.procs" && exec discfsctl umount mnt' - "$unit" >said 2>&1
	cat said
	grep -q "nothing is burned now, since it's systemd that unmounts; what is staged stays staged" said
	assert_equal "$(toc disc.img | grep -c '^ISO session')" "$base"
fi
mount_disc disc.img mnt -o commit=unmount
[ "$(status mnt .staged.added)" = 1 ]
unmount mnt
assert_equal "$(toc disc.img | grep -c '^ISO session')" $((base + 1))
