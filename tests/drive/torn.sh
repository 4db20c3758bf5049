#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 360
# The head of an overwriteable disc is written, and a block of its error correction can't be read afterwards, nor be
# written again. The next mount finds whose head it was, and brings the commit to its end; without the journal it's a disc
# that can't be read, never a blank one.
. "$(dirname "$0")/lib_hazard.sh"
requires sg_raw

# leads_to START: the volume sequence that the anchor in sector 256 names (ECMA-167 3/10.2) is that of the session there.
# shellcheck disable=SC2046 # the bytes are words
leads_to() {
	scsi good -r 2048 -o "$T/anchor" /dev/sr0 $(cdb 0x28 256 1)
	assert_equal "$(od -A n -t u4 -j 20 -N 4 "$T/anchor" | tr -d ' ')" $(($1 + 32)) "where sector 256 leads"
}

# In the foreground the daemon's warnings can be read.
mount_watched() {
	unmount mnt
	sim discfs -f /dev/sr0 mnt -o "state=$STATE" 2>>warnings &
	await mountpoint -q mnt
	daemon_of mnt >"$T/.daemon-mnt"
}

# Sector 256, where readers look for UDF, is written behind the head, with what shares its error correction: that is
# refused, or spoils it, or some of what is behind it. The commit is good, with a warning; the next one mends it.
for kind in ${KINDS:-dvd+rw bd-re}; do
	begin "$kind" 1
	mount_watched
	for rule in "lba=256 sense=3/0c/00" "lba=272..287 damage" "lba=256..287 damage"; do
		what="$kind, $rule"
		last=$(newest_start)
		leads_to "$last"
		stage
		: >warnings
		rules "writing $rule times=0"
		commit_well
		assert_fired
		no_rules
		[[ $rule == lba=272* ]] || grep -q "sector 256 can't be written" warnings
		[[ $rule == lba=272* ]] || grep -q '^warning: .*sector 256' mnt/.discfs/status
		case $rule in
		*sense*) leads_to "$last" ;;
		lba=256*) scsi "Medium" -r 2048 /dev/sr0 28 00 00 00 01 00 00 00 01 00 ;;
		esac
		[[ $rule == *sense* ]] || mount_watched
		stage
		commit_well
	done
	leads_to "$(newest_start)"
	unmount mnt
	check_sessions
done

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
