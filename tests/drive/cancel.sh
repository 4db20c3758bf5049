#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A commit that somebody ends in the middle of the burn: everything stays staged, the medium is left in order (what was begun
# is closed at once where it must be), and the next commit is as if nothing had happened.
. "$(dirname "$0")/lib_drive.sh"
requires_fuse

mount_drive() {
	mkdir -p mnt
	sim discfs /dev/sr0 mnt
	daemon_of mnt >"$T/.daemon-mnt"
}

# The drive takes 5 ms for each 64 KiB from here on.
slow_down() {
	rules "op=0x2a delay=5 times=0"
}

cancel_in_the_middle() { # KIND SESSIONS-BEFORE
	local kind=$1 committer code
	new_disc "$kind" 200000
	mount_drive
	if [ "$2" = 1 ]; then
		head -c 1000000 /dev/urandom >mnt/old
		cp mnt/old old
		commit mnt
	fi
	head -c 50000000 /dev/urandom >big
	cp big mnt/big
	echo small >mnt/small
	slow_down
	discfsctl commit mnt >said 2>&1 &
	committer=$!
	await status_is mnt '.work.phase == "burning" and .work.done_sectors > 0' true
	assert_match "$(discfsctl cancel mnt)" "everything is still staged"
	code=0
	wait $committer || code=$?
	assert_equal $code 22 "the exit code of the commit on $kind"
	no_rules
	assert_equal "$(status mnt .last.exit)" 22
	[ "$(disc last_session)" != incomplete ] || fail "$kind: an open session is left"
	assert_equal "$(discfsctl diff mnt)" "$(printf 'A big\nA small')"
	unmount mnt
	mount_drive # the disc is known by its last good session, or as blank
	assert_equal "$(discfsctl diff mnt)" "$(printf 'A big\nA small')"
	assert_same_bytes mnt/big big
	commit mnt
	unmount mnt
	mount_drive
	assert_same_bytes mnt/big big
	[ "$2" = 0 ] || assert_same_bytes mnt/old old
	assert_equal "$(status mnt '.sessions | length')" $(($2 + 1))
	unmount mnt
	rm -rf "$XDG_STATE_HOME"
}

for kind in cd-r dvd-r dvd+r bd-r dvd+rw; do
	cancel_in_the_middle $kind 1
done
cancel_in_the_middle dvd+r 0 # the only thing on the disc is what was cancelled
cancel_in_the_middle cd-r 0

# Nothing under way; and what can't be.
new_disc bd-r 50000
mount_drive
assert_match "$(discfsctl cancel mnt)" "Nothing is under way"
assert_fails "No such process" tell mnt cancel
assert_fails "Invalid argument" tell mnt cancel now
unmount mnt
