#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 120
# The catalogue knows discs that were in a drive by what they hold, not by the drive: two discs in one drive; a CD-R and a
# DVD+RW that are mounted without it, with the room that they have left; and one that another program wrote to.
SR=sr8
# shellcheck source=lib_drive.sh
. "$(dirname "$0")/lib_drive.sh"
requires_fuse
requires jq xorriso

known() { # JQ-EXPRESSION
	discfsctl catalog list --json | jq -r "$1"
}
insert() { # FILE
	mmcsim insert "$MMCSIM/$SR" "$T/$1"
	settle
}
room() { # DIR
	status "$1" '"\(.room.free_bytes) \(.room.predicted_sectors) \(.room.next_start) \(.medium.capacity_sectors) \(.medium.profile)"'
	df --output=size,avail -B1 "$1" | tail -n 1
}

make_tree tree 1
for kind in cd-r dvd+rw; do
	new_disc $kind 0 "$T/$kind"
	mount_medium mnt
	cp -a tree/. mnt
	timeout 120 discfsctl commit mnt --label "ON-$kind"
	echo "staged for $kind" >mnt/staged
	unmount mnt
	mount_medium mnt
	room mnt >"room-$kind"
	unmount mnt
done
assert_equal "$(known 'map(.label) | sort | join(" ")')" "ON-cd-r ON-dvd+rw"
assert_equal "$(known 'map("\(.source) \(.drive) \(.staged.added)") | unique | join(" ")')" "/dev/$SR true 1"
assert_equal "$(discfsctl find staged --json | jq -r 'map(.label) | sort | join(" ")')" "ON-cd-r ON-dvd+rw"
discfsctl catalog show ON-cd-r | grep -q '^Drive: /dev/sr8'

# Both are on the shelf, and mounted at the same time.
mkdir off-cd-r off-dvd+rw
for kind in cd-r dvd+rw; do
	timeout 20 discfs --offline ON-$kind off-$kind
	daemon_of off-$kind >"$T/.daemon-off-$kind"
	room off-$kind | diff "room-$kind" -
	cat off-$kind/staged
	assert_fails "temporarily unavailable" cat off-$kind/deep/er/large-1
	mv off-$kind/deep off-$kind/moved
done
# … while one of them comes into the drive: its state is taken.
assert_exit 14 sim discfs "/dev/$SR" mnt
assert_not_mounted mnt
for kind in cd-r dvd+rw; do
	assert_exit 10 discfsctl commit off-$kind
	unmount off-$kind
	insert $kind
	mount_medium mnt
	assert_same_bytes mnt/moved/er/large-1 tree/deep/er/large-1
	timeout 120 discfsctl commit mnt
	assert_same_bytes mnt/staged <(echo "staged for $kind")
	unmount mnt
done
assert_equal "$(known 'map("\(.sessions | length) \(.staged.added)") | join(" ")')" "2 0 2 0"

# Another program appends a session.
for kind in cd-r dvd+rw; do
	insert $kind
	sim xorriso -abort_on FAILURE -return_with SORRY 32 -dev "/dev/$SR" -map tree/small-1 /by-another -commit
	reload
	mount_medium mnt
	assert_same_bytes mnt/by-another tree/small-1
	unmount mnt
done
assert_equal "$(known 'map("\(.label) \(.sessions | length) \(.superseded)") | sort | join(", ")')" "ON-cd-r 3 null, ON-dvd+rw 3 null"
