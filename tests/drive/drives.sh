#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 300
# Two drives at once, each with its daemon, that burn at the same time. Between burns a drive is anybody's; while it burns
# it is nobody else's, and who tries does no harm. An ordinary user of the group cdrom burns as root does; one who isn't in
# it is told so.
# shellcheck source=lib_drive.sh
. "$(dirname "$0")/lib_drive.sh"
requires_fuse
requires_root # to become others
requires xorriso cdrskin python3 jq

await_phase() { # DIR PHASE
	{ set +x; } 2>/dev/null
	local n
	for ((n = 0; n < 600; n++)); do
		[ "$(status "$1" '.work.phase // "none"')" != "$2" ] || break
		sleep 0.05
	done
	set -x
	assert_equal "$(status "$1" '.work.phase // "none"')" "$2" "phase in $1"
}

ctl() {
	timeout 120 discfsctl "$@"
}

# Takes the drive for itself until $T/free is there.
hold() { # DRIVE
	rm -f free held
	sim python3 -I -S -c '
import os, sys, time
fd = os.open(sys.argv[1], os.O_RDWR | os.O_EXCL | os.O_NONBLOCK)
open("held", "w").close()
while not os.path.exists("free"):
    time.sleep(1)' "$1" &
	holder=$!
	until [ -e held ]; do sleep 0.05; done
}

# --- two drives ---------------------------------------------------------------------

make_drive sr1 --vendor OTHER --product "SECOND DRIVE"
make_tree t1 1
make_tree t2 2
for kinds in "dvd+r bd-re" "cd-r cd-r"; do
	n=0
	for kind in $kinds; do
		SR=sr$n
		new_disc "$kind" 60000 "$T/disc$n"
		mkdir -p mnt$n
		sim env DISCFS_FAULT="burn-middle:await=$T/go" discfs "/dev/$SR" mnt$n
		daemon_of mnt$n >"$T/.daemon-mnt$n"
		n=$((n + 1))
	done
	rm -f go
	cp -a t1 mnt0/
	cp -a t2 mnt1/
	for n in 0 1; do
		ctl commit --no-wait mnt$n
	done
	for n in 0 1; do
		await_phase mnt$n burning
	done

	# While sr0 burns: nobody gets it, and nobody disturbs it.
	assert_fails "" sim xorriso -outdev /dev/sr0 -map "$T/t2" /t2 -commit
	assert_fails "" sim cdrskin dev=/dev/sr0 -multi "$T/t1/sectors-1"
	assert_fails "Device or resource busy" sim python3 -I -S -c \
		'import os; os.open("/dev/sr0", os.O_RDWR | os.O_EXCL | os.O_NONBLOCK)'
	assert_exit 14 discfsctl commit mnt0
	mkdir -p other
	assert_exit 14 sim discfs /dev/sr0 other
	grep -q "in use" "$T/out"
	await_phase mnt0 burning
	touch go
	for n in 0 1; do
		ctl wait mnt$n
		assert_equal "$(status mnt$n .last.exit)" 0
	done
	assert_same_tree mnt0/t1 t1 --without root
	assert_same_tree mnt1/t2 t2 --without root

	# Between burns: an exclusive opener is welcome, and while it has the drive, commits are refused.
	hold /dev/sr0
	echo more >mnt0/more
	echo more >mnt1/more
	assert_exit 14 discfsctl commit mnt0
	grep -q "in use" "$T/out"
	assert_equal "$(cat mnt0/more)" more
	assert_same_tree mnt0/t1 t1 --without root
	ctl commit mnt1
	touch free
	wait $holder
	ctl commit mnt0
	for n in 0 1; do
		SR=sr$n
		unmount mnt$n
		reload
		extract_session found 0
		assert_same_tree "found/t$((n + 1))" "t$((n + 1))" --without root
		assert_equal "$(cat found/more)" more
	done
done

# --- an ordinary user ---------------------------------------------------------------

[ -u "$(readlink -f "$(command -v fusermount3)")" ] || exit 0 # nobody but root can mount then
open_fuse
mkdir home bin
cp "$BUILD/discfs" "$BUILD/discfsctl" "$MMCSIM_SO" bin/ # a clone may lie where users don't get
chown 65534:65534 home
chmod -R a+rX t1 t2
cd home
group=$(getent group cdrom | cut -d : -f 3)
as_user() { # GROUP COMMAND…
	timeout 120 setpriv --reuid=65534 --regid=65534 --groups="$1" --inh-caps=-all \
		env -i PATH="$T/bin:/usr/bin:/bin:/usr/sbin:/sbin" HOME="$T/home" LC_ALL=C.UTF-8 \
		DISCFS_TEST_ID="$DISCFS_TEST_ID" MMCSIM="$MMCSIM" LD_PRELOAD="$T/bin/mmcsim.so" "${@:2}"
}

for kind in dvd+r cd-rw dvd+rw bd-re; do
	SR=sr0
	new_disc $kind 60000
	chown "0:$group" "$MMCSIM/sr0/anchor"
	chmod 660 "$MMCSIM/sr0/anchor"
	as_user "$group" mkdir -p mnt
	as_user "$group" discfs /dev/sr0 mnt
	daemon=$(as_user "$group" jq .pid mnt/.discfs/status.json)
	assert_equal "$(stat -c %u "/proc/$daemon")" 65534 "owner of the daemon"
	for n in 1 2; do
		as_user "$group" cp -r "$T/t$n" mnt/
		as_user "$group" discfsctl commit mnt
	done
	as_user "$group" diff -r "$T/t1" mnt/t1
	as_user "$group" discfsctl umount mnt
	await_end "$daemon"
	as_user "$group" discfs /dev/sr0 mnt
	daemon=$(as_user "$group" jq .pid mnt/.discfs/status.json)
	as_user "$group" diff -r "$T/t2" mnt/t2
	as_user "$group" fusermount3 -u mnt
	await_end "$daemon"

	# and who isn't in the group
	assert_exit 2 as_user 65534 discfs /dev/sr0 mnt
	grep -q "group that owns it (cdrom)" "$T/out"
	assert_not_mounted mnt
done
