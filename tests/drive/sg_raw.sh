#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sg_raw, a program that knows nothing of discs: what a drive refuses, and what power loss leaves, medium by medium.
# shellcheck source=lib_drive.sh
. "$(dirname "$0")/lib_drive.sh"
requires sg_raw

# --- CD-R: tracks at the next writable address only, two run-out sectors, a gap between sessions
new_disc cd-r 60000
write_type 0
write_sectors "Illegal mode for this track" 0 1 # no packets
write_type 1
write_sectors "Invalid address for write" 16 1
write_sectors good 0 16
write_sectors good 16 300
read_sectors good 0 316 # from the buffer, or not
write_sectors "Invalid address for write" 0 1
write_sectors "Invalid address for write" 320 1
sync_cache good
read_sectors good 0 316
assert_equal "$(map 0)" "315 data"
assert_equal "$(map 316)" "317 link" "run-out"
read_sectors "Illegal mode for this track" 316 1
read_sectors "Illegal Request" 400 1
close_session good
assert_equal "$(disc status)" incomplete
assert_equal "$(track 2 start)" $((318 + 11400)) "the second session, 11,400 sectors behind"
write_type 1
write_sectors "Invalid address for write" 318 1
write_sectors good 11718 300
sync_cache good
close_session good
assert_equal "$(track 3 start)" $((11718 + 302 + 6900)) "the third session, 6,900 sectors behind"
write_type 1 closing
write_sectors good 18920 300
sync_cache good
close_session good
assert_equal "$(disc status)" complete
write_type 1
write_sectors "Cannot write medium - incompatible format" 18920 1
scsi "Illegal Request" /dev/sr0 a1 00 00 00 00 00 00 00 00 00 00 00 # BLANK
assert_equal "$(map 0)" "315 data"

# --- CD-R: the power goes with a full cache
new_disc cd-r 60000
write_type 1
write_sectors good 0 300
mmcsim power-loss "$MMCSIM/sr0"
settle
grep -q "TEST UNIT READY.*6/29/00" "$MMCSIM/sr0/log" || fail "no attention after power on" # the kernel took it
assert_equal "$(track 1 state)" damaged
settle
write_type 1
write_sectors "incomplete track in session" "$(disc nwa)" 1
close_session good
[ "$(track 2 state)" = invisible ] || fail "no second session after the damaged one"

# --- DVD-R: incremental in ECC blocks of 16, a border of 24,576 sectors
new_disc dvd-r 80000
write_type 0
write_sectors "Invalid address for write" 32 16
write_sectors good 0 20
sync_cache good
assert_equal "$(track 1 nwa)" 32 "padded to the ECC block"
write_sectors "Invalid address for write" 20 12
write_sectors good 32 32
close_track good 1
write_sectors good 64 16 # the next track of the same session
sync_cache good
close_session "incomplete track in session"
close_track good 2
close_session good
assert_less 24575 "$(track 3 start)" "the border"

# --- DVD+R: reserved tracks, the power goes, closing damaged ones
new_disc dvd+r 20000
scsi good /dev/sr0 53 00 00 00 00 00 00 00 40 00 # RESERVE TRACK, 64 sectors
write_sectors "Illegal Request" 100 16
write_sectors good 0 32
close_session "incomplete track in session" # it isn't full
write_sectors good 32 32
close_track good 1
close_session good
second=$(disc nwa)
write_sectors "Invalid address for write" 0 16
write_sectors good "$second" 160
sync_cache good
write_sectors good $((second + 160)) 320
mmcsim power-loss "$MMCSIM/sr0"
settle
read_sectors good "$second" 160
assert_equal "$(track 2 state)" damaged
write_sectors "incomplete track in session" "$(disc nwa)" 16
close_session "incomplete track in session"
close_track good 2
close_session good
assert_equal "$(track 3 state)" invisible
mmcsim map "$T/disc" | grep -q damaged || fail "nothing is damaged"
write_sectors good "$(disc nwa)" 16
close_track good 3
close_session good 6
assert_equal "$(disc status)" complete
write_sectors "Cannot write medium" 10000 16
assert_equal "$(disc status)" complete

# --- BD-R: sessions side by side, ECC blocks of 32
new_disc bd-r 20000
write_sectors good 0 32
write_sectors "Invalid address for write" 64 32
write_sectors good 32 10
sync_cache good
assert_equal "$(track 1 nwa)" 64
close_track good 1
close_session good
assert_equal "$(track 2 start)" 64
write_sectors "Invalid address for write" 0 32

# --- a full disc takes nothing more, and what it has stays readable
new_disc bd-r 3200
for ((lba = 0; lba + 256 <= 3200; lba += 256)); do
	[ "$(disc free)" -ge 256 ] || break
	write_sectors good $lba 256
done
sync_cache good
write_sectors "End of user area" "$(track 1 nwa)" $(($(disc free) + 32))
read_sectors good 0 256

# --- overwriteable media: formatted first, then anywhere
new_disc bd-re 20000
write_sectors "Medium format corrupted" 0 32
sim xorriso -outdev /dev/sr0 -format as_needed
write_sectors good 1000 32
write_sectors good 320 32
write_sectors good 1000 32
read_sectors good 1000 32
sync_cache good
last=$(disc formatted)
assert_less 0 "$last" sectors
scsi "out of range" -s 2048 -i <(head -c 2048 /dev/zero) /dev/sr0 2a 00 7f ff ff ff 00 00 01 00
mmcsim power-loss "$MMCSIM/sr0"
settle
read_sectors good 1000 32

# --- restricted overwrite: whole ECC blocks
new_disc dvd-rw-overwrite 20000
sim xorriso -outdev /dev/sr0 -format full
write_sectors "Illegal Request" 8 16
write_sectors "Illegal Request" 16 8
write_sectors good 16 16

# --- ROMs and empty trays
head -c 4M "$T/random" >"$T/image"
for kind in cd-rom dvd-rom bd-rom; do
	rm -f "$T/disc"
	mmcsim new $kind "$T/disc" --from "$T/image"
	mmcsim insert "$MMCSIM/sr0" "$T/disc"
	settle
	read_sectors good 100 32
	read_sectors "Illegal Request" 2047 2
	write_sectors "Cannot write medium" 0 16
	assert_equal "$(map 0)" "2047 data"
done
# Whoever has it open for its data keeps the door shut; the last one's end opens it.
sim sh -c 'exec 3</dev/sr0; sg_raw /dev/sr0 1b 00 00 00 02 00; echo $?' >"$T/said" 2>&1
grep -q "Medium removal prevented" "$T/said" || fail "the door isn't locked"
scsi good /dev/sr0 1b 00 00 00 02 00
scsi "Medium not present - tray open" /dev/sr0 00 00 00 00 00 00
mmcsim remove "$MMCSIM/sr0"
mmcsim close "$MMCSIM/sr0"
scsi "Medium not present - tray closed" /dev/sr0 00 00 00 00 00 00
