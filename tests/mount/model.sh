#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 300
# The model check: long random sequences of operations, the same in the mount and in a plain directory; after each both
# have answered the same, and both trees are the same after commits (now and in the background, with files open),
# unmounting, failed commits, and the daemon's death by kill -9. In the end the disc by itself holds that tree, also for xorriso.
# A difference tells how to see it again: see tests/model/once.sh.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires_root # owners, devices, other users
requires jq xorriso sqlite3 discfsctl
model=$BUILD/model/model
seeds=${MODEL_SEEDS:-1 2 3}
steps=${MODEL_STEPS:-4000}
restarts=${MODEL_RESTARTS:-800}

# What a session keeps of times: whole seconds.
compare() {
	timeout 300 "$model" compare "$1" plain --whole-seconds "${@:2}"
}

make_disc disc.img bd
mount_disc disc.img mnt -o allow_other
mkdir plain
chmod 777 mnt plain
hook="$TESTS/model/restart.sh $T/disc.img $T/mnt $T/.daemon-mnt"
times=()
for seed in $seeds; do
	options=("${times[@]}")
	case $((seed % 3)) in
	1) options+=(--users) ;;
	2) # commits fail in every other mount: all that was frozen comes back
		options+=(--may-fail)
		export MODEL_FAULT=burn-middle:5
		;;
	esac
	timeout 1000 "$model" run "$T/mnt" "$T/plain" --seed "$seed" --steps "$steps" --commit 900 --restart "$restarts" \
		--hook "$hook" "${options[@]}"
	check_state
	unset MODEL_FAULT
	unmount mnt
	mount_disc disc.img mnt -o allow_other # without the fault
	compare mnt
	times=(--whole-seconds) # as far as there were commits
done

commit mnt LAST
compare mnt
unmount mnt
check_state

# the disc by itself
rm -rf "$XDG_STATE_HOME"
mount_disc disc.img mnt
compare mnt
unmount mnt
rm -rf extracted
mkdir extracted
xorriso -abort_on FATAL -return_with SORRY 32 -report_about SORRY -acl off -xattr off -hardlinks on -indev disc.img \
	-osirrox on:auto_chmod_on:device_files:o_excl_off -extract / extracted
compare extracted --extracted
