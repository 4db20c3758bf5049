#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# wodim, as Debian has it, writes what genisoimage makes: sessions on CD, by tracks and by sessions; a DVD as a whole.
# Each image is read back byte for byte, by dd and by readom.
# shellcheck source=lib_drive.sh
. "$(dirname "$0")/lib_drive.sh"
requires wodim readom genisoimage xorriso sg_raw
rm -f "$BUILD/drive/table-wodim"

# genisoimage continues the disc by its own and wodim's means.
make_image() { # N OPTIONS…
	local n=$1
	shift
	sim genisoimage -quiet -R -J -graft-points "$@" -o "$T/image$n" "t$n=$T/t$n"
}

append() { # OPTIONS… N
	local n=${!#}
	if [ "$n" = 1 ]; then
		make_image 1
	else
		make_image "$n" -C "$(sim wodim -s dev=/dev/sr0 -msinfo)" -M /dev/sr0
	fi
	sim wodim -v dev=/dev/sr0 "${@:1:$#-1}" "$T/image$n"
}

# The Nth session's track has the Nth image in it; readom stops where dd does.
check_images() { # N
	local n start size
	for ((n = 1; n <= $1; n++)); do
		start=$(track "$n" start)
		size=$(($(stat -c %s "$T/image$n") / 2048))
		sim dd if=/dev/sr0 bs=2048 skip="$start" count=$size status=none | cmp - "$T/image$n"
		sim readom dev=/dev/sr0 f="$T/read" sectors="$start-$((start + size))"
		cmp "$T/read" "$T/image$n"
	done
}

# Tracks end with two sectors that can't be read, sessions with a lead-out. The kernel reads two sectors at once, so that
# the data need padding: 15 sectors.
burn_sessions cd-r 60000 3 append -tao -multi -pad
check_images 3
assert_equal "$(($(track 1 size) - $(stat -c %s image1) / 2048))" 17
assert_equal "$(track 2 start)" $(($(track 1 size) + 11400))
assert_equal "$(track 3 start)" $(($(track 2 start) + $(track 2 size) + 6900))
end=$(($(track 1 size) - 1))
assert_fails "llegal mode for this track" sim sg_raw -r 2048 /dev/sr0 28 00 00 00 \
	"$(printf %02x $((end >> 8)))" "$(printf %02x $((end & 255)))" 00 00 01 00
burn_sessions cd-rw 60000 3 append -tao -multi -pad -data
check_images 3
burn_sessions cd-r 60000 3 append -sao -multi -pad -data
check_images 3
assert_equal "$(($(track 1 size) - $(stat -c %s image1) / 2048))" 15

# The last session closes the disc.
new_disc cd-r 60000
append -tao -multi -pad 1
reload
append -tao -pad 2
assert_equal "$(disc status) $(disc sessions)" "complete 2"
assert_fails "Cannot get next writable address" append -tao 2
reload
check_images 2

# A dummy write leaves the disc as it was.
new_disc cd-r 60000
for mode in -tao -sao; do
	sim wodim -v dev=/dev/sr0 -dummy $mode image1
	assert_equal "$(disc status) $(disc writes)" "empty 0"
done

# Blanking
new_disc cd-rw 60000
for how in fast all; do
	append -sao 1
	assert_equal "$(disc status)" complete
	sim wodim -v dev=/dev/sr0 blank=$how
	assert_equal "$(disc status)" empty
done

# What wodim makes of DVDs: one session, which it closes, but for DVD+R's.
for kind in dvd-r dvd-rw dvd+r dvd+r-dl; do
	burn_sessions $kind 20000 1 append -sao
	check_images 1
	[ $kind != dvd+r ] || continue
	assert_equal "$(disc status)" complete
	assert_fails "Cannot open new session" append -sao 1
done
new_disc dvd-rw 20000
append -sao 1
sim wodim -v dev=/dev/sr0 blank=fast
assert_equal "$(disc status)" empty
append -sao 1
assert_equal "$(disc status)" complete
# DVD+RW is formatted once, then written as often as one likes.
format_and_append() {
	sim wodim -v dev=/dev/sr0 -format
	append -sao "$1"
}
burn_sessions dvd+rw 20000 1 format_and_append
for n in 2 3; do
	make_tree t$n $n
	make_image $n
	sim wodim -v dev=/dev/sr0 -sao image$n
	reload
	sim dd if=/dev/sr0 bs=2048 count=$(($(stat -c %s image$n) / 2048)) status=none | cmp - image$n
done

# What the drive and the discs are.
sim wodim -v dev=/dev/sr0 -prcap >out
grep -q "Does write DVD-R media" out
grep -q "Buffer size in KB: 2048" out
new_disc cd-rw 60000
sim wodim -v dev=/dev/sr0 -atip >out
grep -q "Is erasable" out
grep -q "ATIP start of lead out: 60000" out
