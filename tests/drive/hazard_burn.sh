#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 400
# The drive or the medium fails while a session is burned: sectors that can't be written, power that goes away with a
# full cache, closing that fails, and what was burned can't be read back. On each medium.
. "$(dirname "$0")/lib_hazard.sh"

# goes_wrong WHAT SESSIONS CODE RULES… -- WORDS…: the commit fails so
goes_wrong() {
	local code=$3 lines=()
	what="$kind, $1, after $2 sessions"
	begin "$kind" "$2"
	stage
	shift 3
	while [ "$1" != -- ]; do
		lines+=("$1")
		shift
	done
	shift
	rules "${lines[@]}"
	commit_badly "$code" "$@"
	assert_fired
	no_rules
	check_sessions
}

for kind in ${KINDS:-cd-r dvd+r bd-r dvd+rw}; do
	if cases write; then
		goes_wrong "a sector can't be written" 1 20 "writing wrote=600 sense=3/0c/00" -- "can't be written"
		end_well
		goes_wrong "a sector can't be written, told later" 1 20 "writing wrote=600 sense=3/0c/00 deferred" -- "can't be written"
		remount
		end_well
		goes_wrong "a sector can't be written" 0 20 "writing wrote=600 sense=3/0c/00" -- "can't be written"
		end_well
	fi
	if cases power; then
		goes_wrong "power loss in the middle" 1 20 "wrote=600 power-loss kill" --
		end_well
		goes_wrong "power loss in the middle" 0 20 "wrote=600 power-loss kill" --
		remount
		check_staged
		end_well
	fi
	if cases reset; then
		goes_wrong "the drive was switched off and on" 1 2. "wrote=600 power-loss" --
		if [ "$kind" = cd-r ]; then # it has forgotten that more sessions are to come, and libburn closes all the same
			[[ $message == *"closed the disc"* ]]
			assert_fails "closed" discfsctl commit mnt
			check_staged
		else
			end_well
		fi
	fi
	if cases end; then
		goes_wrong "power loss at the end" 1 2. "wrote=600 op=0x35 power-loss kill" --
		end_well
		goes_wrong "power loss at the end" 0 2. "wrote=600 op=0x35 power-loss kill" --
		end_well
	fi
	if cases verify; then
		goes_wrong "a sector can't be read back" 1 21 "reading lba=0..4000000 wrote=600 sense=3/11/05" --
		end_well
		goes_wrong "a sector goes bad behind the burn" 1 21 "reading wrote=1000 nth=300 damage sense=3/11/05" --
		remount
		check_staged
		end_well
	fi
	if cases close && ! is_overwriteable "$kind"; then
		what="$kind, closing fails once"
		begin "$kind" 1
		stage
		rules "op=0x5b sense=3/73/03"
		commit_well
		assert_fired
		stage
		end_well
		goes_wrong "closing fails" 1 20 "op=0x5b sense=3/73/03 times=0" --
		end_well
		goes_wrong "closing fails" 0 20 "op=0x5b sense=3/73/03 times=0" --
		remount
		end_well
	fi
done
