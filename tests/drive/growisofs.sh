#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# growisofs, as Debian has it, writes sessions on every medium that it supports in the simulated drive; and images as
# they are. dvd+rw-format makes DVD-RW overwriteable and blank again, dvd+rw-mediainfo tells what it sees.
# shellcheck source=lib_drive.sh
. "$(dirname "$0")/lib_drive.sh"
requires growisofs genisoimage dvd+rw-format dvd+rw-mediainfo xorriso
rm -f "$BUILD/drive/table-growisofs"

burn() { # OPTIONS… N
	local n=${!#} option=-M
	[ "$n" != 1 ] || option=-Z
	sim growisofs $option /dev/sr0 "${@:1:$#-1}" -R -J -quiet -graft-points "t$n=$T/t$n"
}

# What dvd+rw-mediainfo says after a colon.
told() {
	sim dvd+rw-mediainfo /dev/sr0 | sed -n "s/^ *$1: *//p"
}

burn_sessions dvd-r 80000 3 burn
assert_equal "$(told "Mounted Media")" "11h, DVD-R Sequential"
assert_equal "$(told "Disc status")" appendable
assert_equal "$(told "Number of Sessions")" 4
assert_equal "$(told "Number of Tracks")" 4
assert_equal "$(told "Next Writable Address")" "$(disc nwa)*2KB"
burn_sessions dvd-rw 80000 3 burn
burn_sessions dvd+r 20000 3 burn
assert_equal "$(told "Track State" | tr '\n' ' ')" "partial/complete partial/complete partial/complete blank "
burn_sessions dvd+r-dl 20000 3 burn
# Without a spare area: the drive knows no pseudo-overwrite, for which growisofs would format.
burn_sessions bd-r 20000 3 burn -use-the-force-luke=spare:none
for kind in dvd-rw-overwrite dvd+rw dvd-ram bd-re; do
	merged=1 burn_sessions $kind 20000 3 burn
done

# Less than a layer is refused on DVD-R DL, before anything is written.
new_disc dvd-r-dl 20000
assert_fails "more than 50% of space" burn 1
assert_equal "$(disc status)" empty

# Images, byte for byte. -dvd-compat closes the disc, which then takes nothing more.
genisoimage -quiet -R -o image "t1"
truncate -s %65536 image
for kind in dvd-r dvd-rw dvd-rw-overwrite dvd+r dvd+rw dvd-ram bd-re; do
	new_disc $kind 20000
	sim growisofs -dvd-compat -Z /dev/sr0=image
	reload
	sim dd if=/dev/sr0 bs=32k count=$(($(stat -c %s image) / 32768)) status=none | cmp - image
	case $kind in
	dvd-r | dvd+r)
		assert_equal "$(disc status)" complete
		assert_fails "not appendable" burn 2
		;;
	esac
done

# DVD-RW: overwriteable by a format, blank by another; blanked in a minute, it takes one closed session.
new_disc dvd-rw 40000
burn 1
settle
sim dvd+rw-format -force /dev/sr0
assert_equal "$(disc kind)" dvd-rw-overwrite
reload
burn 1
burn 2
reload
check_with_xorriso 1 2
sim dvd+rw-format -blank /dev/sr0
assert_equal "$(disc kind) $(disc status)" "dvd-rw empty"
reload
burn 1
assert_equal "$(disc status)" complete
settle
sim dvd+rw-format -blank=full /dev/sr0
reload
burn 1
assert_equal "$(disc status)" incomplete
