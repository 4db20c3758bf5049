#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# growisofs with genisoimage on DVD and Blu-ray in the simulated drive.
# shellcheck source=lib_drive.sh
. "$(dirname "$0")/lib_drive.sh"
requires growisofs genisoimage xorriso
rm -f "$BUILD/drive/table-growisofs"

# burn [GROWISOFS-OPTION…] N
burn() {
	local n=${!#} how=-M
	[ "$n" != 1 ] || how=-Z
	settle
	sim growisofs "${@:1:$#-1}" $how /dev/sr0 -quiet -R -J -graft-points "/t$n=$T/t$n"
}

burn_sessions dvd-r 80000 3 burn
burn_sessions dvd-rw 80000 3 burn
burn_sessions dvd+r 20000 3 burn
burn_sessions dvd+r-dl 20000 3 burn
# Without it growisofs formats BD-R for pseudo-overwrite, which the simulated drive doesn't have.
burn_sessions bd-r 20000 3 burn -use-the-force-luke=spare:none
merged=1
burn_sessions dvd-rw-overwrite 20000 3 burn
burn_sessions dvd+rw 20000 3 burn
burn_sessions dvd-ram 20000 3 burn
burn_sessions bd-re 20000 3 burn
