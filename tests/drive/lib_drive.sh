# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Simulated drives and media for tests: `. tests/drive/lib_drive.sh` after or instead of tests/lib.sh. What tests/mmcsim
# can do, see its README. There is one drive, sr0, from the beginning; more come with make_drive.
# shellcheck source=../lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

MMCSIM_SO=$BUILD/mmcsim/mmcsim.so
PATH=$BUILD/mmcsim:$PATH
export MMCSIM=$T/drives
mkdir -p "$MMCSIM"

# make_drive NAME [OPTIONS OF mmcsim drive…]
make_drive() {
	mmcsim drive "$MMCSIM/$1" "${@:2}"
}

# sim COMMAND…: a program that sees the drives, for at most two minutes
sim() {
	timeout -k 10 120 env LD_PRELOAD="$MMCSIM_SO" "$@"
}

# new_disc KIND [SECTORS [FILE]]: a blank medium, and into sr0 with it
new_disc() {
	local file=${3:-$T/disc}
	rm -f "$file"
	mmcsim new "$1" "$file" --sectors "${2:-0}"
	mmcsim insert "$MMCSIM/sr0" "$file"
}

# disc KEY: what mmcsim knows of the disc in sr0, behind the drive's back
disc() {
	mmcsim show "$MMCSIM/sr0" | sed -n "s/^$1=//p"
}

# track N KEY
track() {
	mmcsim show "$MMCSIM/sr0" | sed -n "s/^track=$1 .*$2=\([^ ]*\).*/\1/p"
}

# Takes the disc out and puts it in again, so that the kernel looks at it anew.
reload() {
	mmcsim button "$MMCSIM/sr0"
	mmcsim close "$MMCSIM/sr0"
}

# rule LINE…: from now on, and with new counters
rules() {
	local line
	for line in "$@"; do
		echo "$line"
	done >"$T/.rules"
	mmcsim check "$T/.rules"
	mv "$T/.rules" "$MMCSIM/sr0/rules"
}

no_rules() {
	rm -f "$MMCSIM/sr0/rules"
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

make_drive sr0
