#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# xorriso, as Debian has it, writes sessions on every medium in the simulated drive.
# shellcheck source=lib_drive.sh
. "$(dirname "$0")/lib_drive.sh"
requires xorriso
rm -f "$BUILD/drive/table-xorriso"

burn() {
	sim xorriso -abort_on FAILURE -return_with SORRY 32 -dev /dev/sr0 -joliet on "${@:1:$#-1}" \
		-map "$T/t${!#}" "/t${!#}" -commit
}
burn_sessions cd-r 60000 3 burn
burn_sessions cd-rw 60000 3 burn
burn_sessions dvd-r 80000 3 burn
burn_sessions dvd-r-dl 10000 1 burn -close on
burn_sessions dvd-rw 80000 3 burn
burn_sessions dvd-rw-overwrite 20000 3 burn
burn_sessions dvd+r 20000 3 burn
burn_sessions dvd+r-dl 20000 3 burn
burn_sessions dvd+rw 20000 3 burn
burn_sessions dvd-ram 20000 3 burn
burn_sessions bd-r 20000 3 burn
burn_sessions bd-re 20000 3 burn

# Blanking, and used media anew.
for kind in cd-rw dvd-rw; do
	burn_sessions $kind 80000 2 burn
	sim xorriso -outdev /dev/sr0 -blank all
	assert_equal "$(disc status)" empty
	reload
	burn 1
	assert_equal "$(disc sessions)" 2 "sessions, with the empty one"
done
# DVD-RW from sequential to overwriteable and back
sim xorriso -outdev /dev/sr0 -format as_needed
assert_equal "$(disc kind)" dvd-rw-overwrite
sim xorriso -outdev /dev/sr0 -blank deformat
assert_equal "$(disc kind)" dvd-rw

# A closed disc takes nothing more.
new_disc dvd+r 20000
burn 1
burn -close on 2
assert_equal "$(disc status)" complete
assert_fails "closed" burn 3

# A ROM is read as any disc, and not written.
rm -f "$T/disc"
sim xorriso -outdev "stdio:$T/image" -map "$T/t1" /t1 -commit -map "$T/t2" /t2 -commit
mmcsim new dvd-rom "$T/disc" --from "$T/image"
mmcsim insert "$MMCSIM/sr0" "$T/disc"
settle
check_with_xorriso 2 2
check_with_dd 2
assert_fails "closed" burn 3
