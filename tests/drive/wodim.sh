#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# wodim burns what genisoimage makes: sessions on CD, by tracks and at once. On DVD it knows one session only.
# shellcheck source=lib_drive.sh
. "$(dirname "$0")/lib_drive.sh"
requires wodim genisoimage xorriso
rm -f "$BUILD/drive/table-wodim"

# burn [WODIM-OPTION…] N
burn() {
	local n=${!#} continued=()
	[ "$n" = 1 ] || continued=(-C "$(sim wodim dev=/dev/sr0 -msinfo)" -M /dev/sr0)
	sim genisoimage -quiet -R -J "${continued[@]}" -o "$T/image" -graft-points "/t$n=$T/t$n"
	sim wodim dev=/dev/sr0 "${@:1:$#-1}" padsize=300k "$T/image"
}

burn_sessions cd-r 60000 3 burn -multi -tao
burn_sessions cd-r 60000 3 burn -multi -tao -data
burn_sessions cd-r 60000 3 burn -multi -sao -data
burn_sessions cd-rw 60000 3 burn -multi -tao -data
burn_sessions dvd-r 10000 1 burn -sao
burn_sessions dvd-rw 10000 1 burn -sao
burn_sessions dvd+r 10000 1 burn -sao
# Every DVD+RW is formatted before its first use.
burn_formatted() {
	sim wodim dev=/dev/sr0 -format
	burn -sao "$1"
}
burn_sessions dvd+rw 10000 1 burn_formatted

new_disc cd-rw 60000
burn -multi -tao -data 1
sim wodim dev=/dev/sr0 blank=fast
assert_equal "$(disc status)" empty
reload
burn -tao -data 1
assert_equal "$(disc status)" complete
check_with_xorriso 1 1
