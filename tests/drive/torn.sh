#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 240
# The head of an overwriteable disc is written, and a block of its error correction can't be read afterwards, nor be
# written again. The next mount finds whose head it was, and brings the commit to its end; without the journal it's a disc
# that can't be read, never a blank one.
. "$(dirname "$0")/lib_hazard.sh"

for kind in ${KINDS:-dvd+rw bd-re}; do
	for sectors in 16..31 0..15; do
		what="$kind, sectors $sectors torn"
		begin "$kind" 1
		stage
		rules "writing lba=$sectors damage times=0"
		commit_badly_unread 2[01] "can't be read" "mount again"
		same_picture mnt pictured
		assert_fired
		no_rules
		unmount mnt
		assert_fails "can't be read" sim discfs /dev/sr0 mnt -o "state=$T/elsewhere"
		assert_not_mounted mnt
		mount_drive
		same_picture mnt pictured
		assert_equal "$(cat mnt/.discfs/changes)" ""
		assert_equal "$(status mnt '.sessions | length')" 2
		cp pictured "good/$(newest_start)"
		stage
		end_well
	done
done
