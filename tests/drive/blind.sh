#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 180
# While the drive burns, nobody reads its disc: what the session needs of it was copied before, and who wants something
# else of it waits; everything else in the mount goes on. The drive's log tells that not one sector was asked for.
# shellcheck source=lib_drive.sh
. "$(dirname "$0")/lib_drive.sh"
requires_fuse
requires jq

mount_drive() {
	mkdir -p mnt
	sim env DISCFS_FAULT="burn-middle:await=$T/go" discfs /dev/sr0 mnt
	mountpoint -q mnt || fail "not mounted"
	daemon_of mnt >.daemon-mnt
}

await_status() { # JQ-CONDITION
	{ set +x; } 2>/dev/null
	local i
	for ((i = 0; i < 600; i++)); do
		if [ "$(status mnt "$1")" = true ]; then
			set -x
			return
		fi
		sleep 0.05
	done
	fail "it never comes that $1: $(status mnt .)"
}

# How often sectors of the session were written, and what was read between the first and the last of them. (The head of an
# overwriteable medium is written when all has been read back.)
written_and_read() {
	awk '/ WRITE\(1[02]\) .* lba=[0-9][0-9][0-9][0-9]/ { writes++; reads += since; since = 0 }
		/ READ/ && / lba=/ && writes { since++ }
		END { print (writes > 50), reads + 0 }' "$MMCSIM/sr0/log"
}

for kind in dvd+r dvd+rw bd-r; do
	new_disc $kind 60000
	mkdir -p plain
	for n in 1 2 3 4 5 6 7 8; do
		head -c 400000 /dev/urandom >plain/old$n
	done
	head -c 6000000 /dev/urandom >plain/parts
	touch go
	mount_drive
	cp plain/* mnt
	commit mnt FIRST
	unmount mnt
	reload

	mount_drive
	for i in mnt plain; do
		printf changed | dd of=$i/parts bs=1 seek=3333333 conv=notrunc status=none
	done
	head -c 2000000 /dev/urandom >plain/new
	cp plain/new mnt
	rm -f go
	: >"$MMCSIM/sr0/log" # not removed: then nothing would be logged
	tell mnt commit-nowait
	await_status '.work.phase == "burning"'
	pids=()
	for n in 1 2 3 4 5 6 7 8; do
		cat mnt/old$n >got$n &
		pids+=($!)
	done
	await_status '.work.waiting_reads >= 8'
	timeout 20 cmp mnt/parts plain/parts # all of it is in the spool now
	timeout 20 sh -c 'echo more >mnt/more && cat mnt/more && ls -l mnt && sync mnt/more'
	kill -0 "${pids[@]}"
	touch go
	for n in 1 2 3 4 5 6 7 8; do
		wait "${pids[n - 1]}"
		cmp got$n plain/old$n
	done
	await_status '.work == null'
	assert_equal "$(status mnt .last.errno)" 0 "$(status mnt .last.message)"
	assert_equal "$(written_and_read)" "1 0" "writes, and reads while $kind was burned"
	unmount mnt
	reload
	mount_drive
	for i in plain/*; do
		cmp "$i" "mnt/${i#*/}"
	done
	unmount mnt
	rm -rf plain
done
