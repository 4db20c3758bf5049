# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Simulated drives and media for tests: `. tests/drive/lib_drive.sh` after or instead of tests/lib.sh. What tests/mmcsim
# can do, see its README. There is one drive from the beginning; more come with make_drive. It is sr0, unless SR says
# another: discfsctl looks for a drive's name in all mounts of the machine, and tests run beside each other.
# shellcheck source=../lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

SR=${SR:-sr0}
MMCSIM_SO=$BUILD/mmcsim/mmcsim.so
PATH=$BUILD/mmcsim:$PATH
export MMCSIM=$T/drives
mkdir -p "$MMCSIM"

# make_drive NAME [OPTIONS OF mmcsim drive…]
make_drive() {
	mmcsim drive "$MMCSIM/$1" "${@:2}"
}

# A program with the address sanitizer wants its library to come before others.
export ASAN_OPTIONS=$ASAN_OPTIONS:verify_asan_link_order=0

# sim COMMAND…: a program that sees the drives, for at most two minutes
sim() {
	timeout -k 10 120 env LD_PRELOAD="$MMCSIM_SO" "$@"
}

# new_disc KIND [SECTORS [FILE]]: a blank medium, and into the drive with it
new_disc() {
	local file=${3:-$T/disc}
	rm -f "$file"
	mmcsim new "$1" "$file" --sectors "${2:-0}"
	mmcsim insert "$MMCSIM/$SR" "$file"
	settle
}

# disc KEY: what mmcsim knows of the disc in the drive, behind the drive's back
disc() {
	mmcsim show "$MMCSIM/$SR" | sed -n "s/^$1=//p"
}

# track N KEY
track() {
	mmcsim show "$MMCSIM/$SR" | sed -n "s/^track=$1 .*$2=\([^ ]*\).*/\1/p"
}

# Until the drive is ready, as someone waits who has put a disc in. The kernel has looked at the disc then.
settle() {
	local n
	for n in {1..20}; do
		! sim sh -c ": <'/dev/$SR'" 2>/dev/null || return 0
	done
	fail "the disc doesn't become ready"
}

# Takes the disc out and puts it in again, so that the kernel looks at it anew.
reload() {
	mmcsim button "$MMCSIM/$SR"
	assert_equal "$(disc tray)" open tray
	mmcsim button "$MMCSIM/$SR"
	settle
}

# rule LINE…: from now on, and with new counters
rules() {
	local line
	for line in "$@"; do
		echo "$line"
	done >"$T/.rules"
	mmcsim check "$T/.rules"
	mv "$T/.rules" "$MMCSIM/$SR/rules"
}

no_rules() {
	rm -f "$MMCSIM/$SR/rules"
}

# --- single commands, by sg_raw ------------------------------------------------------

# scsi EXPECTED SG_RAW-ARGUMENTS…: EXPECTED is "good", or a part of what sg_raw calls the sense.
scsi() {
	local expected=$1 said=good
	shift
	sim sg_raw "$@" >"$T/sg" 2>&1 || true
	grep -q '^SCSI Status: Good' "$T/sg" ||
		said=$(sed -n 's/^.*Sense key: \(.*\)/\1/p; s/^Additional sense: /, /p' "$T/sg" | tr -d '\n')
	[[ $said == "$expected" || ($expected != good && $said == *"$expected"*) ]] ||
		fail "sg_raw $*: \"$said\" instead of \"$expected\""
}

# The ten bytes of a command with an address and a number of blocks
cdb() { # OP LBA BLOCKS
	printf '%02x 00 %02x %02x %02x %02x 00 %02x %02x 00' "$1" $(($2 >> 24 & 255)) $(($2 >> 16 & 255)) $(($2 >> 8 & 255)) \
		$(($2 & 255)) $(($3 >> 8)) $(($3 & 255))
}

# shellcheck disable=SC2046 # the bytes are words
write_sectors() { # EXPECTED LBA BLOCKS: the bytes are those of $T/random from LBA modulo 3000 on
	[ -e "$T/random" ] || head -c 8M /dev/urandom >"$T/random"
	dd if="$T/random" of="$T/data" bs=2048 skip=$(($2 % 3000)) count="$3" status=none
	scsi "$1" -s $(($3 * 2048)) -i "$T/data" "/dev/$SR" $(cdb 0x2a "$2" "$3")
}

# shellcheck disable=SC2046
read_sectors() { # EXPECTED LBA BLOCKS: if good, they must be those of $T/random
	rm -f "$T/data"
	scsi "$1" -r $(($3 * 2048)) -o "$T/data" "/dev/$SR" $(cdb 0x28 "$2" "$3")
	[ "$1" != good ] || dd if="$T/random" bs=2048 skip=$(($2 % 3000)) count="$3" status=none | cmp - "$T/data" || fail "other bytes at $2"
}

# root_of START: the root directory's first sector, by the descriptors of the session there (ECMA-119 8.4.18, 9.1.3)
# shellcheck disable=SC2046
root_of() {
	scsi good -r 2048 -o "$T/descriptor" "/dev/$SR" $(cdb 0x28 $(($1 + 16)) 1)
	od -A n -t u4 -j 158 -N 4 "$T/descriptor" | tr -d ' '
}

sync_cache() { # EXPECTED
	scsi "$1" "/dev/$SR" 35 00 00 00 00 00 00 00 00 00
}

close_track() { # EXPECTED TRACK
	scsi "$1" "/dev/$SR" 5b 00 01 00 00 "$(printf %02x "$2")" 00 00 00 00
}

close_session() { # EXPECTED [FUNCTION]
	scsi "$1" "/dev/$SR" 5b 00 "$(printf %02x "${2:-2}")" 00 00 00 00 00 00 00
}

# Mode page 05: write type (0 incremental, 1 track at once, 2 session at once), data blocks of 2048 bytes, track mode 4
# (DVD-R's is 5); another session may follow unless "closing" is said.
write_type() { # TYPE [closing]
	local bytes n mode=$((4 + ($1 == 0)))
	[ "${2:-}" = closing ] || mode=$((mode + 0xc0))
	printf -v bytes '\\0%.0s' {1..8}
	printf -v bytes '%s\\x05\\x32\\x0%d\\x%02x\\x08' "$bytes" "$1" $mode
	for ((n = 13; n < 60; n++)); do
		bytes+='\0'
	done
	printf %b "$bytes" >"$T/page"
	scsi good -s 60 -i "$T/page" "/dev/$SR" 55 10 00 00 00 00 00 00 3c 00
}

# map FIRST: what the medium says of the range of sectors that begins there: "LAST KIND"
map() {
	mmcsim map "$T/disc" | sed -n "s/^$1\.\.//p"
}

# A tree to burn, other ones for other numbers: small files, an empty one, a deep one, one of some hundred KB.
make_tree() { # DIR N
	mkdir -p "$1/deep/er"
	echo "file of tree $2" >"$1/small-$2"
	: >"$1/empty-$2"
	head -c $((2048 * (3 + $2))) /dev/urandom >"$1/sectors-$2"
	head -c $((300001 + 1000 * $2)) /dev/urandom >"$1/deep/er/large-$2"
	chmod 640 "$1/small-$2"
}

# mount_medium DIR [DISCFS-OPTIONS…]: the disc in the drive
mount_medium() {
	local dir=$1
	shift
	mkdir -p "$dir"
	sim discfs "/dev/$SR" "$dir" "$@"
	mountpoint -q "$dir" || fail "$dir is not mounted"
	daemon_of "$dir" >"$T/.daemon-$(basename "$dir")"
}

# Session N (0: what the disc shows) with xorriso, which finds every checksum right: those of superblock and directories
# as it loads, then of the session as a whole and of each file.
extract_session() { # DIR N
	local load=()
	[ "$2" = 0 ] || load=(-load session "$2")
	rm -rf "$1"
	mkdir "$1"
	sim xorriso -abort_on FATAL -return_with SORRY 32 -report_about SORRY -md5 on -acl on -xattr on -hardlinks on \
		"${load[@]}" -indev "/dev/$SR" -check_md5 FATAL -- -check_md5_r FATAL / -- \
		-osirrox on:auto_chmod_on:device_files:o_excl_off -extract / "$1" >"$T/said" 2>&1 ||
		fail "xorriso can't read session $2: $(cat "$T/said")"
	grep -qx "Ok, session data match recorded md5." "$T/said"
	grep -qx "File contents and their MD5 checksums match." "$T/said"
}

# --- three sessions by a foreign program, read back by two others --------------------

# What the drive has, by dd: each file that xorriso lists in the newest session, at the sectors where it says it is.
check_with_dd() { # NUMBER-OF-TREES
	local lba size path found=0
	sim xorriso -indev "/dev/$SR" -find / -type f -exec report_lba -- 2>/dev/null >"$T/.lba"
	while read -r lba size path; do
		[ "$size" = 0 ] || sim dd if="/dev/$SR" bs=2048 skip="$lba" count=$(((size + 2047) / 2048)) status=none |
			head -c "$size" | cmp - "$T$path" || fail "dd reads $path otherwise"
		found=$((found + 1))
	done < <(sed -n "s/^File data lba: *[0-9]* , *\([0-9]*\) , *[0-9]* , *\([0-9]*\) , '\(.*\)'/\1 \2 \3/p" "$T/.lba")
	assert_equal $found $((4 * $1)) "files that dd has read"
}

# Every session as xorriso sees it: the Nth has the trees up to the Nth.
check_with_xorriso() { # NUMBER-OF-SESSIONS NUMBER-OF-TREES
	local n tree
	assert_equal "$(sim xorriso -indev "/dev/$SR" -toc 2>/dev/null | grep -c '^ISO session')" "$1" "sessions"
	for ((n = 1; n <= $1; n++)); do
		rm -rf "$T/found"
		sim xorriso -abort_on FAILURE -return_with SORRY 32 -osirrox on:o_excl_off -load session $n -indev "/dev/$SR" \
			-extract / "$T/found" >"$T/said" 2>&1 || fail "xorriso can't read session $n: $(cat "$T/said")"
		for ((tree = 1; tree <= ($1 == 1 ? $2 : n); tree++)); do
			diff -r "$T/found/t$tree" "$T/t$tree" || fail "session $n has another tree $tree"
		done
		assert_equal "$(find "$T/found" -maxdepth 1 -name "t*" | wc -l)" $((tree - 1)) "trees of session $n"
	done
}

# burn_sessions KIND SECTORS COUNT COMMAND…: COMMAND N burns the tree $T/tN as /tN of session N. Growing a file system on
# overwriteable media leaves one session, with all trees in it: say so with merged=1 before.
# A line of the table of media and programs is left in $BUILD/drive.
burn_sessions() {
	local kind=$1 sectors=$2 count=$3 n
	shift 3
	new_disc "$kind" "$sectors"
	rm -rf "$T"/t[0-9]
	for ((n = 1; n <= count; n++)); do
		make_tree "$T/t$n" "$n"
		attempt limited "$@" "$n" >"$T/said" 2>&1
		[ "$attempted" = 0 ] || fail "$kind, session $n, exit code $attempted: $(tail -n 20 "$T/said")"
		reload
	done
	check_with_xorriso "${merged:-$count}" "$count"
	check_with_dd "$count"
	mkdir -p "$BUILD/drive"
	echo "$kind $(basename "$0" .sh) $count" >>"$BUILD/drive/table-$(basename "$0" .sh)"
}

# What a drive recorded with which command, for a test that failed.
tell_drives() {
	local drive
	for drive in "$MMCSIM"/sr*; do
		echo "=== $drive"
		mmcsim show "$drive"
		tail -n 40 "$drive/log"
	done
}

# Both libraries' ends.
drive_at_exit() {
	local code=$?
	set +eE +x
	trap - ERR
	[ $code = 0 ] || [ $code = "$SKIP_CODE" ] || tell_drives
	(exit $code)
	at_exit
}
trap drive_at_exit EXIT

make_drive "$SR"
