#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 400
# The disc isn't what it should be: it can't be read where it says what it is, it was taken out, or another one was put
# in, before, in and after a burn. Nothing is written to the wrong disc where that can be helped.
. "$(dirname "$0")/lib_hazard.sh"

# unreadable START: a scratch over a session's descriptors, and one over their copies, until the rules are others
unreadable() {
	rules "reading lba=$(($1 + 16)) sense=3/11/05 times=0" "reading lba=$(($1 + UDF_FRONT + 16)) sense=3/11/05 times=0"
}

# Begins a disc of its own with a good session, in $T/other.
make_other() {
	begin "$kind" 1
	unmount mnt
	reload
	contents >other.before
	mmcsim remove "$MMCSIM/sr0"
	mv disc other
}

# What a reader finds: a drive may go on formatting a DVD+RW for itself.
contents() {
	sim dd if=/dev/sr0 bs=2048 count=1300 status=none | sha256sum
}

other_is_unharmed() {
	assert_equal "$(contents)" "$(cat other.before)" "what is on the other disc"
}

for kind in ${KINDS:-cd-r dvd+r dvd+rw}; do
	if cases superblock; then
		what="$kind, superblock unreadable"
		begin "$kind" 2
		at=$(newest_start)
		! is_overwriteable "$kind" || at=0
		unmount mnt
		unreadable "$at"
		rm -rf "$T/elsewhere"
		mkdir -p mnt
		for dir in "$STATE" "$T/elsewhere"; do
			assert_fails "can't be read" sim discfs /dev/sr0 mnt -o state="$dir"
			is_overwriteable "$kind" || grep -q -- "-o session=N" out
			assert_not_mounted mnt
		done
		if ! is_overwriteable "$kind"; then
			options=session=1 mount_elsewhere
			assert_equal "$(status mnt .base.session)" 1 "session"
			same_picture mnt "good/$(status mnt '.sessions[0].start')"
			assert_fails "Read-only" touch mnt/file
			unmount mnt
		fi
		no_rules
		mount_drive
		stage
		unreadable "$at"
		commit_badly 2 "can't be read" "Nothing was burned" "still staged"
		no_rules
		check_sessions
		end_well
	fi
	if cases between; then
		what="$kind, another disc between staging and commit"
		make_other
		begin "$kind" 1
		stage
		put_in other
		commit_badly_unread 11 "not the disc"
		other_is_unharmed
		mmcsim remove "$MMCSIM/sr0"
		commit_badly_unread 10 "no disc"
		put_in disc
		check_staged
		end_well
	fi
	if cases swap; then
		what="$kind, another disc in the middle of the burn"
		make_other
		begin "$kind" 1
		stage
		rules "wrote=600 swap=$T/other"
		commit_badly_unread 11 "another disc"
		no_rules
		settle
		other_is_unharmed
		put_in disc
		check_staged
		check_sessions
		end_well
	fi
	if cases head && is_overwriteable "$kind"; then
		what="$kind, another disc between session and head"
		make_other
		begin "$kind" 1
		stage
		rules "op=0x2a wrote=600 lba=0..31 swap=$T/other"
		commit_badly_unread 11 "another disc"
		no_rules
		settle
		other_is_unharmed
		put_in disc
		check_staged
		end_well
	fi
	if cases removed; then
		what="$kind, taken out in the middle of the burn"
		begin "$kind" 1
		stage
		rules "wrote=600 remove"
		commit_badly_unread 10 "taken out"
		no_rules
		put_in disc
		check_staged
		check_sessions
		end_well
	fi
done
