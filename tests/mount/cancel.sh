#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 180
# A commit to an image file that is cancelled, in every phase and in every way: what was recorded is byte for byte what it
# was, everything is staged, whoever asked for the commit is told, and the next one is as if nothing had been.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires jq xorriso sqlite3 pgrep python3

# The commit stands still: neither its journal nor its workers have changed for a while.
moment() {
	sqlite3 "$(find "$XDG_STATE_HOME" -name overlay.db)" "SELECT phase FROM journal"
	status mnt .work.phase
	pgrep -a -P "$(cat .daemon-mnt)" || true
}

await_stand() {
	{ set +x; } 2>/dev/null
	local before="" now="" same=0
	until [ $same = 3 ]; do
		now=$(moment)
		[ "$now" = "$before" ] && [ -n "$now" ] && same=$((same + 1)) || same=0
		before=$now
		sleep 0.05
	done
	echo "$now"
	set -x
}

recorded_sum() {
	head -c "$recorded" disc.img | sha256sum
}

number=0
stage() {
	local dir
	number=$((number + 1))
	head -c 700000 /dev/urandom >random
	for dir in mnt expected; do
		cp random "$dir/new$number"
		echo "$number" >>"$dir/log"
	done
}

# Everything is as if the commit had never been asked for.
settle_cancelled() { # POINT
	assert_equal "$(status mnt '[.work, .last.errno, .last.exit] | @csv')" ",125,22"
	assert_match "$(status mnt .last.message)" "^cancelled.*everything is still staged$"
	assert_equal "$(status mnt '.sessions | length')" "$sessions"
	assert_equal "$(discfsctl info --json disc.img | jq '.sessions | length')" "$sessions"
	assert_equal "$(recorded_sum)" "$sum" "the recorded part after a cancel at $1"
	case $1 in
	phase-frozen* | phase-filled* | phase-planned* | phase-burning*) assert_equal "$(sha256sum <disc.img)" "$whole" "the image" ;;
	esac
	assert_equal "$(cat mnt/.discfs/changes)" "$changes"
	assert_same_tree mnt expected --without root,mtime
}

begin() { # POINT: what is staged waits for its commit
	rm -f go
	stage
	sessions=$(status mnt '.sessions | length')
	recorded=$(status mnt '.medium.used_sectors * 2048')
	sum=$(recorded_sum)
	whole=$(sha256sum <disc.img)
	changes=$(cat mnt/.discfs/changes)
}

let_go() {
	sleep 0.3 # the cancel is on its way, and waits for the commit
	touch go
}

# discfsctl cancels what discfsctl began
cancel_by_ctl() { # POINT
	begin "$1"
	discfsctl commit mnt >said 2>&1 &
	local committer=$! canceller code=0
	await_stand
	discfsctl cancel mnt >cancelled 2>&1 &
	canceller=$!
	let_go
	wait $canceller || fail "cancel: $? $(cat cancelled)"
	grep -q "^The commit is cancelled: everything is still staged$" cancelled
	wait $committer || code=$?
	assert_equal $code 22 "exit code of a cancelled commit"
	grep -q "cancelled.*everything is still staged" said
	settle_cancelled "$1"
}

# echo cancels what a program began. Linux holds the root's lock meanwhile: what isn't cached isn't found there, and another
# test may have all caches dropped.
cancel_by_control() { # POINT
	local held
	begin "$1"
	exec {held}<mnt/.discfs
	python3 -c 'import os
try:
    os.setxattr("mnt", "user.discfs.commit", b"")
except OSError as error:
    print(error.errno)' >said 2>&1 &
	local committer=$! canceller code=0
	await_stand
	tell mnt cancel &
	canceller=$!
	let_go
	wait $canceller || fail "echo cancel: $?"
	wait $committer
	exec {held}<&-
	assert_equal "$(cat said)" 125 "errno of a cancelled commit"
	settle_cancelled "$1"
}

# Ctrl-C ends the showing; the commit goes on until it's cancelled.
cancel_by_key() { # POINT
	begin "$1"
	discfsctl commit mnt >said 2>&1 &
	local committer=$! canceller code=0
	await_stand
	kill -INT $committer
	wait $committer || code=$?
	assert_equal $code 130 "exit code of a commit that nobody looks at any more"
	grep -q "the work goes on (discfsctl wait $T/mnt; discfsctl cancel $T/mnt ends it)" said
	[ "$(status mnt .work)" != null ] || fail "Ctrl-C has ended the commit"
	discfsctl cancel mnt >cancelled 2>&1 &
	canceller=$!
	let_go
	wait $canceller || fail "cancel: $? $(cat cancelled)"
	assert_exit 22 discfsctl wait mnt
	settle_cancelled "$1"
}

make_disc disc.img dvd
mount_disc disc.img mnt
mkdir expected
stage
commit mnt
unmount mnt

ways=(cancel_by_ctl cancel_by_control cancel_by_key)
turn=0
for point in phase-frozen-after phase-filled-after phase-planned-before phase-planned-after burn-planned phase-burning-before \
	phase-burning-after burn-start burn-middle burn-written phase-written-before phase-written-after check-start; do
	DISCFS_FAULT=$point:await=$T/go mount_disc disc.img mnt
	"${ways[turn % 3]}" "$point"
	turn=$((turn + 1))
	touch go
	commit mnt AFTER
	assert_equal "$(cat mnt/.discfs/changes)" ""
	assert_equal "$(status mnt '.sessions | length')" $((sessions + 1))
	unmount mnt
done
extract_xorriso disc.img extracted >/dev/null 2>&1
assert_same_tree extracted expected --without root,mtime

# When all is verified it's too late, and both are told the truth.
for point in phase-checked-before head-before; do
	DISCFS_FAULT=$point:await=$T/go mount_disc disc.img mnt
	begin $point
	discfsctl commit mnt >said 2>&1 &
	committer=$!
	await_stand
	discfsctl cancel mnt >cancelled 2>&1 &
	canceller=$!
	let_go
	code=0
	wait $canceller || code=$?
	assert_equal $code 2 "exit code of a cancel that comes too late"
	grep -q "too late: the commit came to its end" cancelled
	wait $committer || fail "commit: $? $(cat said)"
	assert_equal "$(cat mnt/.discfs/changes)" ""
	assert_equal "$(discfsctl info --json disc.img | jq '.sessions | length')" $((sessions + 1))
	unmount mnt
done
mount_disc disc.img mnt
assert_same_tree mnt expected --without root,mtime
unmount mnt
check_state
