#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 300
# A commit that dies: its workers are killed at 20 random moments (at named points: matrix.sh). Afterwards the earlier sessions are intact for discfs and for xorriso, what was staged is still there, and the next
# commit succeeds.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires jq setfattr xorriso sqlite3 pgrep
RANDOM=20240229

# The next thing to commit: new and changed and renamed and deleted files; the same in the mount and in $T/expected.
stage() {
	local number=$1 dir
	for dir in mnt expected; do
		mkdir -p "$dir/round$number"
		seq "$number" 3000 >"$dir/round$number/numbers"
		ln "$dir/round$number/numbers" "$dir/round$number/linked"
		echo "$number" >>"$dir/base/log"
		rm "$dir/base/$number"
		mv "$dir/base/moving.$((number - 1))" "$dir/base/moving.$number"
		printf 'round %d' "$number" | dd of="$dir/base/patched" bs=1 seek=$((number * 5000)) conv=notrunc status=none
	done
	head -c 12000000 /dev/urandom >random # other bytes each time: what is on the disc isn't burned again
	cp random "mnt/random"
	cp random "expected/random"
	sync -f mnt
	find mnt expected -exec touch -h -d "@$((1500000000 + number))" {} +
}

seconds_since() {
	awk -v a="$1" -v b="$(date +%s.%N)" 'BEGIN { print b - a }'
}

session_count() {
	toc disc.img | grep -c '^ISO session'
}

# What xorriso finds as the newest session is the tree that was committed last.
check_disc() {
	rm -rf extracted
	extract_xorriso disc.img extracted >/dev/null 2>&1
	assert_same_tree extracted committed.manifest --without root
}

# After a commit that may have ended or not: either way everything is right.
settle_round() { # SESSIONS-BEFORE CHANGES-BEFORE
	local sessions
	sessions=$(session_count)
	assert_same_tree mnt expected --without root
	if [ "$sessions" = "$1" ]; then
		assert_equal "$(cat mnt/.discfs/changes)" "$2" "what is staged"
	else
		assert_equal "$sessions" $(($1 + 1)) "sessions"
		assert_equal "$(cat mnt/.discfs/changes)" "" "what is staged"
		manifest expected --without root >committed.manifest
	fi
	check_disc
	check_state
}

make_disc disc.img dvd
mount_disc disc.img mnt
mkdir -p expected/base
for i in {1..100}; do
	seq "$i" 500 >"expected/base/$i"
done
: >expected/base/log
echo moving >expected/base/moving.0
head -c 3000000 /dev/urandom >expected/base/patched
cp -a expected/. mnt/
stage 1
manifest expected --without root >committed.manifest
began=$(date +%s.%N)
commit mnt BASE
took=$(seconds_since "$began")
check_disc

# --- the workers at random moments
moments=0 failed=0
round=2
stage $round
while [ $moments -lt 20 ]; do
	before=$(session_count)
	changes=$(cat mnt/.discfs/changes)
	[ -n "$changes" ]
	began=$(date +%s.%N)
	setfattr -n user.discfs.commit -v "MOMENT $moments" mnt 2>errors &
	committing=$!
	sleep "$(awk -v t="$took" -v r=$RANDOM 'BEGIN { print t * r / 32768 }')"
	killed=false
	if pkill -9 -P "$(cat .daemon-mnt)"; then
		moments=$((moments + 1)) killed=true
	fi
	code=0
	wait $committing || code=$?
	# It was over by then: had the first one taken far longer, hardly any would be hit.
	[ $killed = true ] || took=$(seconds_since "$began")
	settle_round "$before" "$changes"
	if [ $code = 0 ]; then
		assert_equal "$(session_count)" $((before + 1)) "sessions after a commit that succeeded"
		round=$((round + 1))
		stage $round
	else
		assert_equal "$(session_count)" "$before" "sessions after a commit that failed"
		grep -q "Input/output error" errors
		failed=$((failed + 1))
	fi
done
assert_less 9 $failed "commits that were really cut off"
commit mnt WHOLE
manifest expected --without root >committed.manifest
check_disc
unmount mnt

# the disc by itself
rm -rf "$XDG_STATE_HOME"
mount_disc disc.img mnt
assert_same_tree mnt expected --without root
unmount mnt
