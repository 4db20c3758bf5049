#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 400
# The burn worker is killed while it writes, at each place that makes a difference; on each medium. What it left is never
# appended to: the next commit closes it first, or begins behind it, and it doesn't count.
. "$(dirname "$0")/lib_hazard.sh"

# killed PLACE SESSIONS RULE [HOME-AGAIN]: with so many good sessions before
killed() {
	what="$kind, $1, after $2 sessions"
	begin "$kind" "$2"
	stage
	rules "$3"
	commit_badly 20 "killed"
	[ "$(grep -c "rule in line" "$MMCSIM/sr0/log")" -gt 0 ] || fail "nobody was killed"
	: >"$MMCSIM/sr0/log"
	no_rules
	check_sessions
	${4:-}
	check_staged
	end_well
}

for kind in ${KINDS:-cd-r dvd+r bd-r dvd+rw}; do # others: tests/long/hazards.sh
	killed "in the middle" 1 "wrote=600 kill"
	killed "in the middle" 0 "wrote=600 kill" remount
	if ! is_overwriteable "$kind"; then # there, a head is written before
		killed "before the first block" 1 "op=0x2a kill" remount
		killed "before the first block" 0 "op=0x2a kill"
	fi
	killed "before the descriptors" 1 "wrote=1 kill"
	killed "in the first block" 0 "wrote=1 kill" remount # where it is formatted first, while its head is cleared
	if ! is_overwriteable "$kind"; then
		killed "before it was closed" 1 "op=0x5b kill" remount
		killed "before it was closed" 0 "op=0x5b kill"
	fi
	case $kind in
	dvd* | bd-r)
		if ! is_overwriteable "$kind"; then
			killed "half closed" 1 "op=0x5b nth=2 kill"
			killed "half closed" 0 "op=0x5b nth=2 kill" remount
		fi
		;;
	esac
done
