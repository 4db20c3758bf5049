# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What goes wrong with a disc in a drive, and what must hold afterwards: `. tests/drive/lib_hazard.sh`.
#
# A story begins with a disc that has one good session or none, and has work staged. Something goes wrong; then nothing
# that was staged is lost, each earlier session is what it was, for discfs and for xorriso, and the next commit succeeds.
# What each good session must hold is kept in $T/good/START, START being its first sector.
# shellcheck source=lib_drive.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib_drive.sh"
requires_fuse
requires jq setfattr xorriso sqlite3
STATE=$T/st

is_overwriteable() { # KIND
	case $1 in
	dvd+rw | bd-re | dvd-ram | dvd-rw-overwrite) true ;;
	*) false ;;
	esac
}

# The disc in sr0, on mnt
options=rw # of the next mount
mount_drive() {
	mkdir -p mnt
	sim discfs /dev/sr0 mnt -o "state=$STATE,$options"
	mountpoint -q mnt || fail "mnt is not mounted"
	daemon_of mnt >"$T/.daemon-mnt"
}

# begin KIND SESSIONS [SECTORS]: a disc with so many good sessions is mounted
begin() {
	local n kind=$1
	no_rules
	! mountpoint -q mnt || unmount mnt
	rm -rf "$STATE" good expected
	staged=0
	mkdir -p good expected
	new_disc "${kind%-overwrite}" "${3:-60000}"
	[ "$kind" != dvd-rw-overwrite ] || sim discfsctl format /dev/sr0
	mount_drive
	for ((n = 1; n <= $2; n++)); do
		stage
		commit_well
	done
}

# picture DIR: what a session must bring back, but for what the root directory is; in C, since it is asked for often
picture() {
	(
		cd "$1"
		find . -mindepth 1 -type d -printf '%P d %m %U %G %T@\n' -o -type l -printf '%P l %l\n' -o -printf '%P %y %m %n %U %G %s %T@\n' | sort
		find . -type f -exec sha256sum {} + | sort
	)
}

# same_picture FOUND-DIR STORED
same_picture() {
	picture "$1" >"$T/.picture"
	diff "$2" "$T/.picture" | cut -c 1-300 | head -n 40 || true
	cmp -s "$2" "$T/.picture" || fail "$1 is not the same as $2"
}

# Work that isn't small: some 1,300 sectors; the same in the mount and in $T/expected.
staged=0
stage() {
	local dir last=$staged
	staged=$((staged + 1))
	head -c 2500000 /dev/urandom >random
	for dir in mnt expected; do
		mkdir -p "$dir/dir$staged"
		cp random "$dir/random"
		echo $staged >"$dir/dir$staged/number"
		echo $staged >>"$dir/log"
		if [ $last -gt 0 ]; then
			rm "$dir/dir$last/number"
			mv "$dir/moving$last" "$dir/moving$staged"
		else
			head -c 50000 random >"$dir/moving1"
			head -c 150000 random >"$dir/kept"
			ln "$dir/kept" "$dir/linked"
			ln -s kept "$dir/pointing"
		fi
	done
	find mnt expected -exec touch -h -d "@$((1500000000 + staged))" {} +
	sync -f mnt
	picture expected >pictured
}

# Takes down what is staged, for check_staged.
staged_is() {
	cat mnt/.discfs/changes >changes
	[ -s changes ] || fail "nothing is staged"
}

# All that was staged is there, and the tree is what it was.
check_staged() {
	assert_equal "$(cat mnt/.discfs/changes)" "$(cat changes)" "what is staged"
	same_picture mnt pictured
}

# Each good session as xorriso reads it from the drive.
check_sessions() {
	local start
	for start in good/*; do
		[ -s "$start" ] || continue
		rm -rf "$T/found"
		sim xorriso -abort_on FAILURE -return_with FAILURE 32 -hardlinks on -load sbsector "${start#good/}" \
			-indev /dev/sr0 -osirrox on:auto_chmod_on:o_excl_off -extract / "$T/found" >"$T/said" 2>&1 || fail "xorriso can't read the session at ${start#good/}: $(cat "$T/said")"
		same_picture "$T/found" "$start"
	done
}

# The newest session's first sector, as discfs tells it
newest_start() {
	status mnt '.sessions[-1].start'
}

good_sessions() {
	find good -mindepth 1 -maxdepth 1 | wc -l
}

# Commits, and looks at everything.
commit_well() {
	staged_is
	assert_exit 0 discfsctl commit mnt
	assert_equal "$(cat mnt/.discfs/changes)" "" "what is staged after a commit"
	cp pictured "good/$(newest_start)"
	assert_equal "$(status mnt '.sessions | length')" "$(good_sessions)" "sessions"
	same_picture mnt pictured
}

# commit_badly CODE WORDS…: it fails so, says each of the words, and all is as it was; the message is kept in $message
commit_badly() {
	commit_badly_unread "$@"
	check_staged
}

# The same, with a disc in the drive that can't be compared.
commit_badly_unread() {
	local expected=$1 word
	shift
	staged_is
	attempt limited discfsctl commit mnt >"$T/out" 2>&1
	cat "$T/out"
	assert_match "$attempted" "^($expected)\$"
	message=$(status mnt .last.message)
	echo "$(basename "$0" .sh) [${what:-}]: $message" >>"$T/messages"
	for word in "$@"; do
		[[ $message == *$word* ]] || fail "the message doesn't say \"$word\": $message"
	done
	assert_equal "$(cat mnt/.discfs/changes)" "$(cat changes)" "what is staged"
}

# The end of every story: the next commit succeeds, here or (remount) after another mount, and so does the one behind
# it; each session is whole for xorriso and for a machine that knows nothing of this one's work.
end_well() {
	commit_well
	stage
	commit_well
	unmount mnt
	check_sessions
	mount_elsewhere
	same_picture mnt pictured
	unmount mnt
	check_state_of_drive
}

# Another machine, which knows the disc only.
mount_elsewhere() {
	rm -rf "$T/elsewhere"
	STATE=$T/elsewhere mount_drive
}

remount() {
	unmount mnt
	mount_drive
}

check_state_of_drive() {
	local db
	for db in "$STATE"/*/*.db; do
		assert_equal "$(sqlite3 "$db" 'PRAGMA integrity_check')" ok
	done
}

# A rule has done what it says.
assert_fired() {
	grep -q "rule in line" "$MMCSIM/sr0/log" || fail "no rule fired"
	: >"$MMCSIM/sr0/log"
}

# cases NAME: CASE=NAME in the environment leaves out all others
cases() {
	[ "${CASE:-$1}" = "$1" ]
}

# put_in FILE: instead of what is in sr0
put_in() {
	mmcsim remove "$MMCSIM/sr0"
	mmcsim insert "$MMCSIM/sr0" "$T/$1"
	settle
}
