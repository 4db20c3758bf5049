#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 240
# The drive isn't ready, is slow, or somebody else has it; its button is pressed; and the daemon dies while it burns.
. "$(dirname "$0")/lib_hazard.sh"
requires python3

# Until the burn is under way: so many sectors were taken since the rules were written.
await_writing() {
	await grep -q "WRITE(10)" "$MMCSIM/sr0/log"
}

burns_beyond() { # SECTOR
	status_is mnt ".work.phase == \"burning\" and .work.done_sectors > $1" true
}

await_idle() {
	local n
	for n in {1..300}; do
		sim python3 -c 'import os; os.close(os.open("/dev/sr0", os.O_RDWR | os.O_EXCL | os.O_NONBLOCK))' 2>/dev/null && return 0
		sleep 0.1
	done
	fail "the drive is busy after $n looks"
}

for kind in ${KINDS:-dvd+r dvd+rw}; do
	if cases ready; then
		what="$kind, not ready for a while"
		begin "$kind" 1
		stage
		rules "nth=20 not-ready=30"
		commit_well
		assert_fired
		stage
		what="$kind, never ready to read"
		rules "op=0x28 sense=2/04/01 times=0"
		commit_badly_unread 14 "become ready"
		no_rules
		put_in disc
		check_staged
		end_well
	fi
	if cases busy; then
		what="$kind, another program has the drive"
		begin "$kind" 1
		stage
		sim python3 -c 'import os, sys, time; os.open("/dev/sr0", os.O_RDWR | os.O_EXCL | os.O_NONBLOCK); open("held", "w").write(str(os.getpid())); time.sleep(100000000)' &
		while [ ! -s held ]; do sleep 0.05; done
		commit_badly 14 "in use"
		kill "$(cat held)"
		wait $! || true
		rm held
		end_well
	fi
	if cases slow; then
		what="$kind, slow, and the button is pressed"
		begin "$kind" 1
		stage
		: >"$MMCSIM/sr0/log"
		rules "op=0x2a delay=300 times=0" "op=0x2a nth=2 button"
		staged_is
		discfsctl commit mnt >said 2>&1 &
		await_writing # whoever asks the drive may have to wait for the end of it
		await burns_beyond 0
		await burns_beyond "$(status mnt .work.done_sectors)"
		no_rules # from here on it's quick
		wait $!
		grep -q "rule in line 2" "$MMCSIM/sr0/log" || fail "the button wasn't pressed"
		assert_equal "$(disc tray)" closed "the tray after a button while it burned"
		cp pictured "good/$(newest_start)"
		stage
		mmcsim button "$MMCSIM/sr0"
		assert_equal "$(disc tray)" open "the tray while nothing burns"
		commit_badly_unread 10 "no disc"
		mmcsim button "$MMCSIM/sr0"
		settle
		end_well
	fi
	if cases daemon; then
		what="$kind, the daemon is killed while it burns"
		begin "$kind" 1
		stage
		: >"$MMCSIM/sr0/log"
		rules "op=0x2a delay=10 times=0"
		discfsctl commit mnt >said 2>&1 &
		await_writing
		kill_daemon mnt
		wait $! || true
		await_idle
		no_rules
		mount_drive
		same_picture mnt pictured
		assert_equal "$(cat mnt/.discfs/changes)" "" "what is staged" # also where the head was the daemon's to write
		cp pictured "good/$(newest_start)"
		stage
		end_well
	fi
done
