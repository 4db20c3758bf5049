#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 300
# Going back on discs in drives, sequential and overwriteable ones: each session as it was committed, a bad one isn't
# among them, restore costs no data. While the drive burns, a session that isn't known yet can't be looked at, a known
# one can, and what is read of it comes afterwards.
# shellcheck source=lib_drive.sh
. "$(dirname "$0")/lib_drive.sh"
requires_fuse
requires jq python3 xorriso

old=mnt/.discfs/sessions

remount() { # FAULT
	unmount mnt
	DISCFS_FAULT=${1:-} mount_medium mnt
}

check_sessions() { # N…
	local n
	for n in "$@"; do
		assert_same_tree $old/"$n" "tree$n"
	done
}

check_burning() {
	rm -f go
	remount "burn-middle:await=$T/go"
	find $old/2 >/dev/null # known from now on, and nothing of it is read
	echo more >mnt/more
	tell mnt commit-nowait
	until [ "$(status mnt .work.phase)" = burning ]; do
		sleep 0.1
	done
	rm -rf "$(status mnt .state_directory)"/sessions/"$(status mnt '.sessions[0].start')"-*
	assert_fails "busy" ls $old/1
	find $old/2 >/dev/null
	cat $old/2/t1/deep/er/large-1 >later &
	local reader=$!
	sleep 1
	kill -0 $reader
	echo still >mnt/still
	touch go
	timeout 120 discfsctl wait mnt
	wait $reader
	assert_same_bytes later t1/deep/er/large-1
	check_sessions 1 2 3
}

story() { # KIND
	local n start
	new_disc "$1"
	rm -rf mnt tree? t?
	mount_medium mnt
	for n in 1 2; do
		make_tree t$n $n
		cp -a t$n mnt/
		[ $n = 1 ] || rm mnt/t1/small-1
		manifest mnt >tree$n
		timeout 120 discfsctl commit mnt --label "S$n"
	done
	check_sessions 1 2
	# A session that fails isn't one.
	remount burn-middle:5
	rm -r mnt/t1
	assert_fails "" timeout 120 discfsctl commit mnt --label BAD
	remount
	manifest mnt >tree3
	timeout 120 discfsctl commit mnt --label S3
	assert_equal "$(find $old -maxdepth 1 -printf '%P ')" " 1 2 3 "
	check_sessions 3 1 2
	timeout 60 discfsctl log mnt --all | grep BAD
	assert_equal "$(discfsctl log mnt --json | jq -c '[.[].label]')" '["S1","S2","S3"]'
	extract_session extracted 1
	assert_same_tree extracted $old/1 --without root
	# What was deleted comes back for its names.
	timeout 60 discfsctl restore 1 mnt/t1
	assert_same_tree mnt/t1 $old/1/t1
	assert_equal "$(status mnt .staged.bytes)" 0
	manifest mnt >tree4
	timeout 120 discfsctl commit mnt --label S4
	assert_equal "$(discfsctl log mnt --json | jq '.[3].bytes')" 0
	check_sessions 4
	check_burning
	timeout 60 discfsctl restore 1 mnt --yes
	assert_same_tree mnt tree1
	unmount mnt
	mount_medium mnt
	assert_same_tree mnt tree1
	timeout 120 discfsctl commit mnt
	start=$(status mnt .last.start)
	extract_session extracted 0
	assert_same_tree extracted $old/1 --without root
	sim xorriso -indev "/dev/$SR" -find / -type f -exec report_lba -- 2>/dev/null >lbas
	awk -F'[ ,]+' -v start="$start" '/^File data lba/ && $6 > 0 { n++; if ($5 >= start) exit 1 } END { exit n < 3 }' lbas ||
		fail "a file's content lies in the session: $(cat lbas)"
	unmount mnt
}

# Another disc's session never passes for one of this disc's.
swapped() {
	new_disc dvd+rw 0 other
	mount_medium mnt
	echo other >mnt/other
	timeout 120 discfsctl commit mnt
	unmount mnt
	mmcsim insert "$MMCSIM/$SR" "$T/disc"
	settle
	mount_medium mnt
	assert_equal "$(cat $old/2/t2/small-2)" "file of tree 2"
	rm "$(status mnt .state_directory)"/sessions/"$(status mnt '.sessions[0].start')"-*
	mmcsim insert "$MMCSIM/$SR" "$T/other"
	settle
	sleep 3.1
	assert_fails "Input/output error" ls $old/1
	mmcsim insert "$MMCSIM/$SR" "$T/disc"
	settle
	sleep 3.1
	check_sessions 1
	unmount mnt
}

story cd-r
story dvd+rw
swapped
