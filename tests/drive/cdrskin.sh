#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# cdrskin burns what genisoimage makes, on every medium in the simulated drive.
# shellcheck source=lib_drive.sh
. "$(dirname "$0")/lib_drive.sh"
requires cdrskin genisoimage xorriso
rm -f "$BUILD/drive/table-cdrskin"

# burn [CDRSKIN-OPTION…] N
burn() {
	local n=${!#} continued=()
	[ "$n" = 1 ] || continued=(-C "$(sim cdrskin dev=/dev/sr0 -msinfo "${@:1:$#-1}")" -M /dev/sr0)
	sim genisoimage -quiet -R -J "${continued[@]}" -o "$T/image" -graft-points "/t$n=$T/t$n"
	sim cdrskin dev=/dev/sr0 "${@:1:$#-1}" padsize=300k "$T/image"
}

# The first one with its size known, as libburn does it on blank CD and DVD-R only.
burn_at_once_first() {
	local at_once=()
	[ "$1" != 1 ] || at_once=(-sao)
	burn -multi "${at_once[@]}" "$1"
}
burn_overwriteable() {
	burn --grow_overwriteable_iso -multi "$1"
}
burn_formatted() {
	[ "$1" != 1 ] || sim cdrskin dev=/dev/sr0 blank=format_if_needed
	burn_overwriteable "$1"
}

burn_sessions cd-r 60000 3 burn_at_once_first
burn_sessions cd-r 60000 3 burn -multi -tao
burn_sessions cd-rw 60000 3 burn_at_once_first
burn_sessions dvd-r 80000 3 burn_at_once_first
burn_sessions dvd-rw 80000 3 burn -multi
burn_sessions dvd-r-dl 10000 1 burn -sao
burn_sessions dvd+r 20000 3 burn -multi
burn_sessions dvd+r-dl 20000 3 burn -multi
burn_sessions bd-r 20000 3 burn -multi
merged=1
burn_sessions dvd-rw-overwrite 20000 3 burn_overwriteable
burn_sessions dvd+rw 20000 3 burn_overwriteable
burn_sessions dvd-ram 20000 3 burn_overwriteable
burn_sessions bd-re 20000 3 burn_formatted
merged=

# A dummy burn leaves the disc as it was.
new_disc cd-r 60000
burn -dummy -tao 1
assert_equal "$(disc status)" empty
burn_sessions cd-rw 60000 2 burn -multi
sim cdrskin dev=/dev/sr0 blank=fast
assert_equal "$(disc status)" empty
reload
burn -multi 1
check_with_xorriso 1 1

# The last session closes the disc.
reload
burn 2
assert_equal "$(disc status)" complete
assert_fails "" burn -multi 2
