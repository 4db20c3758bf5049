#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Faults by rules: each way to say when, and each thing that can be done, is seen to happen, and not to happen before.
# shellcheck source=lib_drive.sh
. "$(dirname "$0")/lib_drive.sh"
requires sg_raw xorriso

new_disc dvd-ram 20000
write_sectors good 0 320
sync_cache good

# One process, one command: what sg_raw itself sends. The kernel's own commands, at its open, are others.
fired() {
	grep -c -- '-- rule in line' "$MMCSIM/sr0/log" || true
}
fresh_log() {
	: >"$MMCSIM/sr0/log"
}

# --- when
rules 'op=0x28 sense=3/11/05'
write_sectors good 0 16
read_sectors "Medium Error" 0 16
read_sectors good 0 16 # once only

rules 'op=0x5b/2 sense=3/73/03 times=2'
close_session "Medium Error" 2
close_session "Invalid field in cdb" 1
close_session "Medium Error" 2
close_session "Invalid field in cdb" 2 # a DVD-RAM has nothing to be closed

rules 'op=0x28 nth=3 sense=3/11/05'
read_sectors good 0 1
read_sectors good 0 1
read_sectors "Medium Error" 0 1
read_sectors good 0 1
# Another file counts from nothing, in all processes.
rules 'op=0x28 nth=2 sense=4/44/00'
read_sectors good 0 1
read_sectors "Hardware Error" 0 1

rules 'lba=100..199 sense=3/11/05 times=0' 'lba=50 sense=3/02/00 times=0'
read_sectors good 51 49
read_sectors "No seek complete" 40 11
read_sectors good 200 10
read_sectors "Medium Error" 199 2
read_sectors "Medium Error" 0 320
no_rules
read_sectors good 0 320

# The nth command of all: an open makes the kernel ask for events and readiness, the last close unlocks the door, so the
# seventh is the second READ.
fresh_log
rules 'command=7 sense=4/44/00'
read_sectors good 0 1
read_sectors "Hardware Error" 0 1
assert_equal "$(fired)" 1
assert_match "$(grep -v -e ' -- ' "$MMCSIM/sr0/log" | sed -n 7p)" '4/44/00$'

rules 'wrote=100 op=0x2a sense=3/0c/00'
write_sectors good 0 60
write_sectors good 0 60
write_sectors "Write error" 0 16
write_sectors good 0 16

# A sector when it comes from the medium, or goes to it: that is when the cache goes out.
new_disc dvd-ram 20000 "$T/disc2"
rules 'reading lba=64 sense=3/11/05' 'writing lba=65 sense=3/0c/00'
write_sectors good 0 128
sync_cache "Write error"
sync_cache good
read_sectors "L-EC uncorrectable error" 0 128
read_sectors good 0 60
no_rules

# --- do
mmcsim insert "$MMCSIM/sr0" "$T/disc"
settle
rules 'op=0x2a sense=3/0c/00 deferred'
write_sectors "Write error" 0 16
grep -q deferred "$T/sg" || fail "not deferred: $(cat "$T/sg")"

rules 'op=0x28 not-ready=3'
read_sectors "becoming ready" 0 1
read_sectors "becoming ready" 0 1 # after the kernel's own at its open
read_sectors good 0 1

rules 'op=0x28 delay=300'
began=$(date +%s%N)
read_sectors good 0 1
assert_less 299 $((($(date +%s%N) - began) / 1000000)) ms

fresh_log
rules 'op=0x28 nth=2 open'
read_sectors good 0 1
read_sectors "Medium not present" 0 1
assert_equal "$(disc tray)" open
mmcsim close "$MMCSIM/sr0"
settle
rules 'op=0x28 remove'
read_sectors "Medium not present" 0 1
assert_equal "$(disc medium)" 0
mmcsim insert "$MMCSIM/sr0" "$T/disc"
settle

rules 'op=0x28 button'
read_sectors "Medium not present" 0 1
mmcsim close "$MMCSIM/sr0"
settle
rules 'op=0x28 button' 'op=0x28 nth=2 button'
sim sh -c "exec 3</dev/sr0; sg_raw -r 2048 /dev/sr0 $(cdb 0x28 0 1); sg_raw -r 8 /dev/sr0 4a 01 00 00 10 00 00 00 08 00" >"$T/sg" 2>&1
assert_equal "$(disc tray)" closed "the door was locked"
assert_equal "$(grep -c "Status: Good" "$T/sg")" 2

mmcsim new dvd-ram "$T/other" --sectors 20000
rules "op=0x28 swap=$T/other"
read_sectors "may have changed" 0 1
assert_equal "$(readlink "$MMCSIM/sr0/medium")" "$T/other"
mmcsim insert "$MMCSIM/sr0" "$T/disc"
settle

rules 'op=0x2a power-loss'
write_sectors "Power on" 0 16
settle
write_sectors good 0 16

rules 'op=0x28 kill'
attempt read_sectors good 0 1 >/dev/null 2>&1
grep -q "SCSI Status" "$T/sg" && fail "sg_raw outlived its end"
read_sectors good 0 1
# After so many sectors, in the middle of a burn; the drive goes on with the next process.
new_disc dvd+r 20000 "$T/third"
make_tree "$T/t1" 1
rules 'wrote=64 kill'
attempt sim xorriso -outdev /dev/sr0 -map "$T/t1" /t1 -commit
assert_equal "$attempted" 137 "xorriso's end"
assert_less 63 "$(disc blocks_written)" blocks
no_rules
settle
scsi good /dev/sr0 00 00 00 00 00 00

# Damage stays.
new_disc cd-r 20000
write_type 1
rules 'writing lba=100..101 damage times=0'
write_sectors good 0 302
sync_cache good
no_rules
read_sectors good 0 100
read_sectors "Medium Error" 100 1
read_sectors "Medium Error" 101 1
read_sectors good 102 150
rules 'op=0x28 lba=0 damage' 'reading lba=20 damage'
read_sectors "Medium Error" 0 1
read_sectors "Medium Error" 20 1
no_rules
read_sectors "Medium Error" 0 1
read_sectors "Medium Error" 20 1
read_sectors good 21 1

# Several at once, and rules that say nothing.
fresh_log
rules '# a comment' 'op=0x28 delay=1' '' 'op=0x28 sense=3/11/05 # and another'
read_sectors "Medium Error" 30 1
assert_equal "$(fired)" 2
grep -q 'rule in line 4' "$MMCSIM/sr0/log"

# --- mistakes
wrong() { # LINE WORDS
	echo "$1" >"$T/wrong"
	assert_fails "$2" mmcsim check "$T/wrong"
}
wrong 'op=0x28' 'nothing to DO'
wrong 'sense=3/11/05' 'no WHEN'
wrong 'op=0x28 sense=3/11' 'sense=3/11'
wrong 'op=0x128 kill' 'op=0x128'
wrong 'lba=9..5 kill' 'lba=9..5'
wrong 'op=0x28 explode' 'explode'
wrong 'command=x kill' 'command=x'
printf 'op=0x28 kill\n\nwriting frob\n' >"$T/wrong"
assert_fails 'line 3: frob' mmcsim check "$T/wrong"
cp "$T/wrong" "$MMCSIM/sr0/rules"
assert_fails 'rules: line 3: frob' sim sg_raw /dev/sr0 00 00 00 00 00 00
no_rules
scsi good /dev/sr0 00 00 00 00 00 00
