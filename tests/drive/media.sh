#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 600
# discfs on every medium: three commits with additions, deletions, renames and changes of all kinds between them. Each is
# read back through discfs, also when the disc is mounted anew and as an older session, and through xorriso with all
# checksums. What a dry run predicts, what the drive does in pretence, closing, blanking and formatting, and what closed
# discs, pressed ones and an empty tray say. Leaves a table of what was seen in $BUILD/drive.
SR=sr5
# shellcheck source=lib_drive.sh
. "$(dirname "$0")/lib_drive.sh"
requires_fuse
requires_root # owners
requires xorriso sg_raw python3 jq setfattr setfacl
rm -f "$BUILD/drive/media" "$BUILD/drive/table-discfs"
mkdir -p "$BUILD/drive"

# --- what is staged: in the mount, and beside it in a folder of this machine ---------

material=$T/material
mkdir "$material"
for size in 0 1 2047 2048 2049 70000 300000 1500000; do
	head -c $size /dev/urandom >"$material/$size"
done

stage_1() {
	mkdir -p docs/deep/er pics "two words" void
	cp "$material"/* docs/deep
	cp "$material/300000" pics/a
	cp "$material/70000" pics/b
	cp "$material/1500000" large
	echo "Grüße" >"two words/日本語"
	ln docs/deep/2049 pics/hard
	ln docs/deep/2049 docs/hard
	ln -s ../pics/a docs/soft
	ln -s nowhere dangling
	mkfifo docs/fifo
	setfattr -n user.word -v one docs/deep/70000
	setfattr -n user.on -v directory pics
	setfacl -m u:1001:rw,g:1002:r docs/deep/1
	chmod 4711 pics/b
	chown 1000:1000 pics/a
}
stage_2() {
	mv docs papers
	mv papers/deep/300000 "two words/"
	rm papers/hard papers/deep/2047
	ln pics/b papers/b
	printf changed | dd of=large bs=1 seek=700000 conv=notrunc status=none
	echo appended >>papers/deep/70000
	chmod 600 papers/deep/2048
	chmod 500 pics
	setfattr -n user.word -v two papers/deep/70000
	setfattr -n user.more -v more large
	ln -sfn pics/b dangling
	mkdir new
	echo new >new/file
}
stage_3() {
	chmod 700 pics
	rm -r "two words" papers/fifo
	mv pics/a papers/deep/er/moved
	mv new/file large # over an old one
	mv pics/b third
	mv papers/deep/1 pics/b
	mv third papers/deep/1 # exchanged
	truncate -s 1000 papers/deep/300 # a new one, all hole
	truncate -s 2000 papers/deep/70000
	setfattr -x user.word papers/deep/70000
	setfacl -b pics/b
	chown -h 7:8 papers/soft
	mkdir docs
	cp "$material/300000" docs/again
}

# What must be there: the host's files, which all media get. By the clock they aren't the same.
without_mtime() {
	sed -E 's/^([^ ]+ . [0-7]{4} [0-9]+:[0-9]+) [0-9]+/\1/' "$1"
}
# As xorriso extracts it: owner and time of symbolic links are its own.
without_softmeta() {
	sed -E 's/^([^ ]+ l [0-7]{4}) [0-9]+:[0-9]+ [0-9]+/\1/' "$1"
}
mkdir host mnt
for n in 1 2 3; do
	do_at host "stage_$n"
	manifest host --without root,mtime >"host.$n"
done

# --- one commit ---------------------------------------------------------------------

ctl() {
	timeout 120 discfsctl "$@"
}

# The Nth: staged, committed, read back; then mounted anew and read back again.
commit_stage() { # N [COMMIT-OPTIONS…]
	local n=$1
	shift
	do_at mnt "stage_$n"
	manifest mnt --without root >"expected.$n"
	without_mtime "expected.$n" | diff "host.$n" -
	without_softmeta "expected.$n" >"soft.$n"
	predict "$n"
	ctl commit mnt "$@" >"$T/said"
	cat "$T/said"
	assert_equal "$(status mnt .last.sectors)" "$predicted" "sectors that the dry run of commit $n told"
	assert_equal "$(status mnt '.staged.added + .staged.modified + .staged.deleted + .staged.renamed')" 0
	assert_same_tree mnt "expected.$n" --without root
	unmount mnt
	mount_medium mnt
	assert_same_tree mnt "expected.$n" --without root
	assert_equal "$(status mnt '.sessions | length')" "$n" "sessions"
}

# What doesn't write: a dry run on all media, and the drive's pretence where there is one.
predict() { # N
	local before
	before="$(disc writes) $(disc status) $(disc nwa) $(disc sessions)"
	ctl commit --dry-run mnt
	predicted=$(status mnt .last.sectors)
	assert_less 0 "$predicted" "sectors"
	if [ "$pretends" = yes ]; then
		: >"$MMCSIM/$SR/log"
		ctl commit --simulate mnt >"$T/said"
		grep -q pretence "$T/said"
		assert_equal "$(status mnt .last.sectors)" "$predicted" "sectors in pretence"
		grep -q "WRITE(10)" "$MMCSIM/$SR/log" || fail "the drive was told nothing"
	elif [ "$1" = 1 ]; then
		assert_exit 12 discfsctl commit --simulate mnt
		grep -q "can't be written in pretence" "$T/out"
	fi
	assert_equal "$(disc writes) $(disc status) $(disc nwa) $(disc sessions)" "$before" "the disc after a trial"
}

# Volume space sizes of the first two descriptors at a sector, as they stand in both byte orders.
volume_sizes() { # SECTOR
	sim dd if="/dev/$SR" bs=2048 skip=$(($1 + 16)) count=2 status=none | python3 -c '
import struct, sys
data = sys.stdin.buffer.read()
for at in (0, 2048):
    assert data[at:at + 6] == bytes([1 + at // 2048]) + b"CD001", data[at:at + 6]
    print(*struct.unpack("<I", data[at + 80:at + 84]), *struct.unpack(">I", data[at + 84:at + 88]))' | uniq
}

# Sizes of all sessions: from sector 0 on sequential media, where Linux looks at the newest session's own descriptors; in
# the head of overwriteable ones, whose sessions count from their own begin.
check_sizes() {
	local start sectors found end=0
	reload
	while read -r start sectors; do
		found=$(volume_sizes "$start")
		found=${found% "${found#* }"}
		assert_equal "$(volume_sizes "$start")" "$found $found" "volume sizes of the session at $start"
		[ "$overwriteable" = yes ] || found=$((found - start))
		end=$((start + found))
		assert_less 0 "$found" "volume size of the session at $start"
		assert_less "$found" $((sectors + 1)) "volume size of the session at $start"
		assert_less $((sectors - 350)) "$found" "volume size of the session at $start"
	done <sessions
	[ "$overwriteable" = no ] || assert_equal "$(volume_sizes 0)" "$end $end" "volume sizes in the head"
}

# All sessions with xorriso, and with discfs as older ones.
check_sessions() { # COUNT
	local n
	status mnt '.sessions[] | "\(.start) \(.sectors)"' >sessions
	unmount mnt
	assert_equal "$(sim xorriso -indev "/dev/$SR" -toc 2>/dev/null | awk -F'[ ,]+' '/^ISO session/ { print $5 }')" \
		"$(cut -d ' ' -f 1 sessions)" "sessions that xorriso lists"
	for ((n = 1; n <= $1; n++)); do
		extract_session found "$n"
		assert_same_tree found "soft.$n" --without root,softmeta
		[ "$n" != "$1" ] || continue
		mount_medium old -o session="$n"
		assert_same_tree old "expected.$n" --without root
		assert_fails "Read-only file system" touch old/new
		assert_match "$(status old .read_only_reason)" "session"
		assert_exit 12 discfsctl commit old
		unmount old
	done
	extract_session found 0
	assert_same_tree found "soft.$1" --without root,softmeta
	check_sizes
	mount_medium mnt
}

# --- closing ------------------------------------------------------------------------

# The disc takes nothing more, and everybody is told so.
check_closed() { # N
	local round
	assert_equal "$(disc status)" complete
	for round in 1 2; do
		assert_equal "$(status mnt .read_only)" true
		assert_match "$(status mnt .read_only_reason)" "closed"
		assert_fails "Read-only file system" touch mnt/new
		assert_exit 12 discfsctl commit mnt
		grep -q "not appendable" "$T/out"
		assert_same_tree mnt "expected.$1" --without root
		unmount mnt
		[ $round = 2 ] || mount_medium mnt
	done
	extract_session found 0
	assert_same_tree found "soft.$1" --without root,softmeta
}

finalize() { # N
	ctl finalize mnt
	check_closed "$1"
}

refuse_to_finalize() {
	local before
	before=$(disc writes)
	assert_exit 12 discfsctl finalize mnt
	grep -q "can't be closed" "$T/out"
	assert_equal "$(disc writes)" "$before"
	echo more >mnt/more
	assert_exit 12 discfsctl commit --finalize mnt
	ctl discard --yes mnt
	unmount mnt
}

# After blank or format the disc is empty, and can be written again.
use_again() { # COMMAND [OPTIONS…]
	sim discfsctl "$@" --yes "/dev/$SR"
	mount_medium mnt
	assert_equal "$(find mnt -mindepth 1 | wc -l)" 0 "files on an empty disc"
	commit_stage 1
	unmount mnt
	extract_session found 0
	assert_same_tree found soft.1 --without root,softmeta
}

# --- a medium -----------------------------------------------------------------------

# story KIND SECTORS SESSIONS: how the disc ends is a matter of the caller
story() {
	local kind=$1 sectors=$2 n
	overwriteable=no
	pretends=no
	case $kind in
	dvd-rw-overwrite | dvd+rw | dvd-ram | bd-re) overwriteable=yes ;;
	cd-r* | dvd-r | dvd-r-dl | dvd-rw) pretends=yes ;;
	esac
	trials="dry run$([ $pretends = no ] || echo ", pretence")"
	new_disc "$kind" "$sectors"
	mount_medium mnt
	assert_equal "$(find mnt -mindepth 1 | wc -l)" 0 "files on a blank disc"
	for ((n = 1; n <= $3; n++)); do
		commit_stage $n
	done
	check_sessions "$3"
	echo "$kind discfs $3" >>"$BUILD/drive/table-discfs"
}

# seen KIND WORDS…: a line of the table
seen() {
	printf '%-18s %-48s %-19s %s\n' "$@" >>"$BUILD/drive/media"
}
three="3 commits: discfs, older sessions, xorriso"

for kind in cd-r dvd-r dvd+r dvd+r-dl bd-r; do
	story $kind 100000 3
	finalize 3
	seen $kind "$three" "$trials" "finalized, then not appendable"
done
for kind in cd-rw dvd-rw; do
	story $kind 100000 3
	finalize 3
	use_again blank --full
	seen $kind "$three" "$trials" "finalized, then not appendable; blanked, 1 commit"
done
sim discfsctl blank --yes "/dev/$SR" # it would take one session only: so it is formatted
assert_equal "$(disc kind)" dvd-rw-overwrite
for kind in dvd-rw-overwrite dvd+rw dvd-ram bd-re; do
	story $kind 100000 3
	refuse_to_finalize
	use_again format
	use_again blank
	seen $kind "$three" "$trials" "can't be closed; formatted, 1 commit; blanked, 1 commit"
done

# One session, which closes the disc.
story dvd-r-dl 10000 1
check_closed 1
seen dvd-r-dl "1 commit: discfs, xorriso" "$trials" "closed by it, then not appendable"

# --- what can't be written ----------------------------------------------------------

make_disc image
mount_disc image image.mnt
(cd image.mnt && stage_1)
commit image.mnt
(cd image.mnt && stage_2)
commit image.mnt
manifest image.mnt --without root >expected.2
without_softmeta expected.2 >soft.2
unmount image.mnt
for kind in cd-rom dvd-rom bd-rom; do
	mmcsim new $kind rom --from image
	mmcsim insert "$MMCSIM/$SR" rom
	settle
	mount_medium mnt
	assert_same_tree mnt expected.2 --without root
	check_closed 2
	seen $kind "2 commits of the image: discfs, xorriso" - "not appendable"
	rm rom
done

mmcsim remove "$MMCSIM/$SR"
for tray in "open" "closed"; do
	assert_equal "$(disc tray)" $tray
	assert_exit 10 sim discfs "/dev/$SR" mnt
	grep -q "there is no disc in the drive" "$T/out"
	assert_not_mounted mnt
	mmcsim close "$MMCSIM/$SR"
done
seen "(empty)" "\"there is no disc in the drive\""

# --- how fast -----------------------------------------------------------------------

# What the drive will write with, in kB/s (GET PERFORMANCE).
write_speed() {
	sim sg_raw -r 24 -o "$T/performance" "/dev/$SR" ac 04 00 00 00 00 00 00 00 01 00 00 2>/dev/null
	echo $((0x$(od -An -tx1 -j 12 -N 4 "$T/performance" | tr -d ' ')))
}

# Only speeds that the drive offers; and on BD with the drive's own checking, or without.
for speed in 2x:8991 4x:17982; do
	new_disc bd-r 50000
	mount_medium mnt
	for stream in "" --stream-recording; do
		cp "$material/1500000" "mnt/file$stream"
		: >"$MMCSIM/$SR/log"
		# shellcheck disable=SC2086 # no word where there's none
		ctl commit $stream --speed "${speed%:*}" mnt
		writes=$(sed -n 's/.* WRITE(12) \(.. \)\{10\}\(..\) .*/\2/p' "$MMCSIM/$SR/log" | sort -u)
		assert_equal "$writes" "${stream:+80}" "byte 10 of WRITE (12)"
		assert_equal "$(write_speed)" "${speed#*:}" "speed"
	done
	unmount mnt
done
extract_session found 0
cmp found/file--stream-recording "$material/1500000"
