#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 3000
# The model check (see tests/mount/model.sh) at length: many seeds, commits that fail at each point, then two programs at
# once in different directories, while one of them commits.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires_root
requires jq sqlite3 discfsctl
requires_room 6000
model=$BUILD/model/model
first=${MODEL_FIRST:-101}

prepare() {
	make_disc disc.img bd
	mount_disc disc.img mnt -o allow_other
	rm -rf plain
	mkdir plain
	chmod 777 mnt plain
}

clear_away() {
	unmount mnt
	check_state
	rm -rf "$XDG_STATE_HOME" disc.img
}

hook="$TESTS/model/restart.sh $T/disc.img $T/mnt $T/.daemon-mnt"
for seed in $(seq "$first" $((first + 11))); do
	prepare
	options=(--users --files $((40 << seed % 4)))
	[ $((seed % 3)) = 0 ] || options+=(--evict)
	timeout 1000 "$model" run "$T/mnt" "$T/plain" --seed "$seed" --steps 20000 --commit 2500 --restart 2500 \
		--hook "$hook" "${options[@]}"
	clear_away
done

seed=$((first + 40))
for fault in burn-{planned,start,middle,written} head-{before,after} phase-{frozen,planned,burning,written,checked}-before \
	phase-{frozen,planned,burning,written,checked}-after; do
	seed=$((seed + 1))
	prepare
	MODEL_FAULT=$fault:5 timeout 1000 "$model" run "$T/mnt" "$T/plain" --seed $seed --steps 5000 --commit 400 --may-fail \
		--restart 600 --hook "$hook" --users
	clear_away
done

for seed in $((first + 20)) $((first + 21)); do
	prepare
	mkdir {mnt,plain}/{one,two}
	chmod 777 {mnt,plain}/{one,two}
	timeout 1000 "$model" run "$T/mnt/one" "$T/plain/one" --mount "$T/mnt" --seed "$seed" --steps 30000 --commit 2000 --evict &
	one=$!
	timeout 1000 "$model" run "$T/mnt/two" "$T/plain/two" --mount "$T/mnt" --seed $((seed + 100)) --steps 50000 --users \
		--whole-seconds
	wait $one
	unmount mnt
	mount_disc disc.img mnt -o allow_other
	timeout 300 "$model" compare mnt plain --whole-seconds
	clear_away
done
