#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 150
# rsync -aHAXS --delete from a directory into the mount, again and again, as a nightly job does: what has changed goes
# over and nothing else. A second run finds nothing to do, be it at once, after a commit, after a remount, or from the
# disc alone. A disc holds whole seconds, which is what rsync compares; but where the mount's state is kept, times have
# their fractions after a commit too, for those who compare all of it.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires_root # owners and devices
requires rsync python3 setfattr jq

# One line for each name that rsync touched; its counts go to the file stats. The mirror that is kept in a directory of
# this machine must have needed the same.
sync_dirs() { # RSYNC-OPTIONS…
	local place
	for place in host mnt; do
		rsync -aHAXS --delete --itemize-changes --out-format='%i %n' --stats "$@" source/ $place/tree/ >said
		sed -n '/^$/q; /backup_dir/d; p' said | LC_ALL=C sort >touched.$place
		sed -n '/^$/,$p' said | grep -v -e ' sent' -e ' received' -e '^sent ' -e ' time:' -e '^File list' -e '^total' >stats.$place
	done
	assert_same_bytes touched.mnt touched.host
	assert_same_bytes stats.mnt stats.host
}

count() { # WORDS of rsync --stats
	sed -n "s/^$1: \([0-9,]*\).*/\1/p" stats.mnt | tr -d ,
}

assert_nothing_to_do() { # WHEN [RSYNC-OPTIONS]
	sync_dirs "${@:2}"
	assert_equal "$(cat touched.mnt)" "" "what rsync touches $1"
	assert_equal "$(count 'Number of regular files transferred')" 0 "files transferred $1"
	assert_equal "$(count 'Number of created files')" 0 "files created $1"
	assert_equal "$(count 'Number of deleted files')" 0 "files deleted $1"
}

# A day goes by: renames, deletions, replaced and overwritten files, new ones, attributes. What was touched gets a time
# long ago, with a fraction: else it would depend on the clock whether rsync finds new directories in the same second.
change_source() { # SEED
	python3 "$TESTS/mutate.py" source "$1"
	find source -newermt 2025-01-01 -depth -exec touch -h -d "@$((1500000000 + $1)).123456789" {} +
}

remount() {
	unmount mnt
	mount_disc disc.img mnt
}

files=${MIRROR_FILES:-500}
python3 "$TESTS/plant.py" source "$files" 2
make_disc disc.img dvd
mount_disc disc.img mnt
mkdir -p host/tree mnt/tree
sync_dirs
assert_equal "$(count 'Number of created files')" "$(find source -mindepth 1 -printf x | wc -c)" "files created"
assert_same_tree mnt/tree source --with nanoseconds
assert_nothing_to_do "at once"
assert_nothing_to_do "at once, to the nanosecond" --modify-window=-1
commit mnt FIRST
assert_nothing_to_do "after a commit"
assert_equal "$(cat mnt/.discfs/changes)" "" "changes that a run without work has left"
remount
assert_nothing_to_do "after a remount"
assert_nothing_to_do "after a remount, to the nanosecond" --modify-window=-1
remount
assert_nothing_to_do "after another remount, by content" --checksum
assert_same_tree mnt/tree source --with nanoseconds
assert_equal "$(cat mnt/.discfs/changes)" ""

# --- day after day
change_source 5
sync_dirs
assert_less 20 "$(wc -l <touched.mnt)" "names that rsync touches"
assert_less "$(count 'Number of regular files transferred')" $((files / 2)) "files transferred"
assert_same_tree mnt/tree source --with nanoseconds
assert_nothing_to_do "after the changes"
commit mnt SECOND
remount
assert_nothing_to_do "after the second session"

# --- in place, with deltas, and with parts of files in a directory of their own
sync_day() { # SEED RSYNC-OPTIONS…
	local seed=$1
	shift
	change_source "$seed"
	sync_dirs "$@"
	assert_same_tree mnt/tree host/tree
	sync_dirs # --inplace doesn't part files that were links of each other at the target
	assert_same_tree mnt/tree source
}
sync_day 6 --inplace --no-whole-file
sync_day 7 --no-whole-file --partial-dir=.parts --delay-updates --delete-after --fuzzy
change_source 8
sync_dirs --backup --backup-dir=../replaced
assert_less 0 "$(find mnt/replaced -type f | wc -l)" "files kept by --backup"
assert_same_tree mnt/replaced host/replaced --without mtime
rm -r mnt/replaced host/replaced
sync_dirs

# --- from the mount: out, and from one place in it to another, against a third
rsync -aHAXS mnt/tree/ out/
assert_same_tree out source
rsync -aHAXS --link-dest=../tree mnt/tree/ mnt/linked/
assert_same_tree mnt/linked source --without links
rm -r mnt/linked
assert_nothing_to_do "after copies"

# --- a disc is burned while rsync runs
change_source 9
rsync -aHAXS --delete source/ host/tree/
rsync -aHAXS --delete source/ mnt/tree/ &
running=$!
discfsctl commit mnt --label "WHILE RSYNC RUNS"
wait $running
assert_same_tree mnt/tree source --with nanoseconds
assert_nothing_to_do "after a commit in the middle of it"

# --- all that is known is the disc
commit mnt THIRD
unmount mnt
check_state
rm -rf "$XDG_STATE_HOME"
mount_disc disc.img mnt
assert_nothing_to_do "with the disc alone"
assert_same_tree mnt/tree source
assert_equal "$(cat mnt/.discfs/changes)" ""
unmount mnt
