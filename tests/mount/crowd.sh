#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 120
# Many programs at once on one mount: writers in their own directories and in one that they share, readers, seekers,
# syncs, df, the status, while one commit follows the other. At the end everything is as on the host.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires jq python3 rsync

rounds=12 # or more, until they have seen two commits: on a slow disk one of them takes longer
ROUNDS_MOST=1000
! is_instrumented || rounds=8

# What worker N does in round R, in the mount and beside it alike.
work() { # TOP N R
	local top=$1/w$2
	mkdir -p "$top/sub" "$1/common"
	seq "$(($3 * 100))" "$(($3 * 100 + 400))" >"$top/numbers$(($3 % 5))"
	cp "$top/numbers$(($3 % 5))" "$top/sub/copy$(($3 % 3))"
	mv -T "$top/sub" "$top/dir"
	echo "$3" >>"$top/log"
	ln -f "$top/log" "$top/dir/log"
	truncate -s "$(($3 * 5000))" "$top/sparse"
	tail -c 3 "$top/log" | dd of="$top/sparse" bs=1 seek="$(($3 * 777))" conv=notrunc status=none
	rm -f "$top/numbers$((($3 + 2) % 5))"
	mv -T "$top/dir" "$top/sub"
	chmod "$((600 + $3 % 7))" "$top/log"
	setfattr -n user.round -v "$3" "$top/log"
	echo "$2 $3" >"$1/common/$2.new"
	mv "$1/common/$2.new" "$1/common/$2"
}

worker() {
	{ set +x; } 2>/dev/null
	local round
	for ((round = 1; round <= ROUNDS_MOST; round++)); do
		[ $round -le $rounds ] || [ ! -e enough ] || break
		work mnt "$1" "$round"
		work plain "$1" "$round"
		cp --sparse=always "mnt/w$1/sparse" "mnt/w$1/sparse.copy"
		cp --sparse=always "plain/w$1/sparse" "plain/w$1/sparse.copy"
	done
}

onlooker() {
	{ set +x; } 2>/dev/null
	while [ ! -e stop ]; do
		find mnt -type f -exec cat {} + >/dev/null 2>&1 || true
		df mnt >/dev/null
		cat mnt/.discfs/status mnt/.discfs/changes >/dev/null
		sync -f mnt
	done
}

make_disc disc.img dvd
mount_disc disc.img mnt
mkdir plain
pids=()
for n in 1 2 3 4; do
	worker $n &
	pids+=($!)
done
onlooker &
looks=$!
commits=0
while [ ${#pids[@]} -gt 0 ]; do
	timeout 300 discfsctl commit mnt --label "C$commits" >out 2>&1 || [ $? = 12 ] || grep -q "nothing" out || fail "commit: $(cat out)"
	commits=$((commits + 1))
	[ $commits -lt 2 ] || touch enough
	for i in "${!pids[@]}"; do
		if ! kill -0 "${pids[i]}" 2>/dev/null; then
			wait "${pids[i]}"
			unset "pids[i]"
		fi
	done
done
touch stop
wait $looks
assert_less 1 $commits "commits while they worked"
assert_same_tree mnt plain --without mtime,root
timeout 300 discfsctl commit mnt --label LAST || true
unmount mnt
mount_disc disc.img mnt
assert_same_tree mnt plain --without mtime,root
unmount mnt
check_state
